"""The stream processors: the log folded into tables (PostgreSQL) by one group of Faust workers."""
