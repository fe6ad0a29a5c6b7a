"""Signing in: factors, sign-ins, exceptions from the second factor."""
