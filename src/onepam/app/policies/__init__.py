"""Use cases of policy documents."""
