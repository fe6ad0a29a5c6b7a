"""Other systems of the company: the lists of their accounts, and who stands behind each."""
