"""Interventions: what was done for a household."""
