"""The SCIM 2.0 front door (RFC 7643, RFC 7644): a company's directory writes its users and groups here."""
