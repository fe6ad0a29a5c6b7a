"""Populations of controls: every row that a test is over, each with what its rule says of it."""
