"""The gateway: what the protocols share while a session runs. Live revocation, recording, sealing."""
