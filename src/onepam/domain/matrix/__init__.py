"""The role matrix: its file, plans, changes."""
