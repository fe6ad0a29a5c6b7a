"""Policy documents in the browser."""
