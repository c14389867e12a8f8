"""Pairing: who can look after a household, and who does."""
