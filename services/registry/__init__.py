"""The registry: which households there are, who lives in them, how they are classed and what they need."""
