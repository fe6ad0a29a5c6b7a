"""Incidents in the browser."""
