"""Access reviews: what fell due, how far each is, and a reviewer's items one after another."""
