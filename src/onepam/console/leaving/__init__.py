"""Leavers and held directories."""
