"""Requests for access, approvals, grants."""
