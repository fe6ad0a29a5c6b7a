"""Policy documents: their versions, and who read and confirmed them."""
