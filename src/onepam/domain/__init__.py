"""The domain: events, facts and the pure deciders over them. Knows no socket, clock, database or framework."""
