"""The use cases, one per file, and the ports they need. Asynchronous, yet without sockets, SQL or a framework."""
