"""One person's word on what another proposed, whatever its subject."""
