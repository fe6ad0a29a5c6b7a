"""The outbox's ways out: mail, webhook, syslog."""
