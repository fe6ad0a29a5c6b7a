"""What the protocols of databases share: TLS of both legs, the way in by a login token, the relay, the journal."""
