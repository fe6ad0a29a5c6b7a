"""Signing in, factors, exceptions."""
