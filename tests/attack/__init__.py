"""One client that attacks the doors in every way it has, and what others notice of it."""
