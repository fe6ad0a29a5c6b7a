"""Requests for access."""
