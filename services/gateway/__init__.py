"""The one door: takes commands to the service that owns them and answers questions from the projections' tables."""
