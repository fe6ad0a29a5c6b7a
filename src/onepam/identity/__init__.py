"""Factors and tokens: what a person proves who they are with. An edge of plain functions; callers store and limit."""
