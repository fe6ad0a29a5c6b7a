"""Use cases of directories (SCIM)."""
