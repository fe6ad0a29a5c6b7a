"""The model of access, who has authority, the decision, and what takes two people."""
