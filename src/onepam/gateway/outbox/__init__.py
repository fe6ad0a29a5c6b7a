"""The outbox: people and systems are told by e-mail, webhook and syslog, each once, in order, until they took it."""
