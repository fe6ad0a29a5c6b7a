"""LDAP in our own words."""
