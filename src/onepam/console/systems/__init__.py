"""Other systems and their accounts."""
