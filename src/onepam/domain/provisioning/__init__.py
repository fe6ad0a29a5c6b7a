"""Accounts and groups that a directory sets by SCIM."""
