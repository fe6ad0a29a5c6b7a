"""Incidents: what went wrong, who answers for it, and what was done."""
