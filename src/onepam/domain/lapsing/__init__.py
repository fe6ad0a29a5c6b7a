"""What time ends by itself."""
