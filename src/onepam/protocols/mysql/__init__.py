"""MySQL and MariaDB: the wire's bytes to a proof, two legs over TLS, and what relays between them."""
