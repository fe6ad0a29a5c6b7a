"""Roles, resources, changes of the matrix."""
