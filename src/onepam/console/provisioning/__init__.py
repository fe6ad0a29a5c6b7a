"""Directories."""
