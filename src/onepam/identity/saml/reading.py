"""Reading a provider's metadata again at its address, so that a changed key locks nobody out.

What may change by itself are the certificates and their dates, never whose metadata it is or where people are sent:
those are what two administrators agreed to.
"""

import json
from collections import OrderedDict
from dataclasses import replace

from onepam.egress.fetch import Fetch
from onepam.identity.saml import metadata
from onepam.identity.saml.settings import SamlSettings, idp_mapping
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, instant
from onepam.kernel.errors import Refused

MAX_METADATA_BYTES = 1024 * 1024
BEFORE = 14 * DAY
"""How long before its certificate or metadata ends a provider is read again by itself (microseconds)."""

PAUSE = 5 * MINUTE
"""Between two readings of one provider because a signature did not fit, whoever sends such messages."""

OFTEN = HOUR
MOST_KEPT = 100


class MetadataReader:
    """Reads again, at most so often."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._read: OrderedDict[str, Instant] = OrderedDict()

    def due(self, settings: SamlSettings, now: Instant) -> bool:
        """Whether its dates ask for it, and it was not just done."""
        idp = settings.idp
        ends = [max(instant(each.not_valid_after_utc) for each in idp.signing)]
        ends += [idp.valid_until] if idp.valid_until is not None else []
        asked = idp.refresh_after is not None and idp.refresh_after <= now
        return bool(settings.read_from) and (asked or min(ends) - BEFORE <= now) and self._free(settings, now, OFTEN)

    async def again(self, settings: SamlSettings, text: str, now: Instant, pause: int = PAUSE) -> str | Refused | None:
        """The settings (`text` is their JSON) with the certificates of now; None where nothing differs, there is no
        address, or it was read less than `pause` ago. Codes: `saml.metadata`, `fetch.*`, those of `metadata.read`."""
        if not settings.read_from or not self._free(settings, now, pause):
            return None
        self._read[settings.provider] = now
        self._read.move_to_end(settings.provider)
        if len(self._read) > MOST_KEPT:
            self._read.popitem(last=False)
        fetched = await self._fetch.get(settings.read_from, limit_bytes=MAX_METADATA_BYTES)
        if isinstance(fetched, Refused):
            return fetched
        if fetched.status != 200:
            return Refused("saml.metadata", f"There is no metadata at its address (status {fetched.status}).")
        found = metadata.read(fetched.body, now)
        if isinstance(found, Refused):
            return found
        if found.entity_id != settings.idp.entity_id:
            return Refused("saml.metadata", "The metadata at its address is of another provider by now.")
        idp = replace(
            settings.idp,
            signing=found.signing,
            encryption=found.encryption,
            valid_until=found.valid_until,
            refresh_after=found.refresh_after,
        )
        return None if idp == settings.idp else json.dumps({**json.loads(text), "idp": idp_mapping(idp)})

    def _free(self, settings: SamlSettings, now: Instant, pause: int) -> bool:
        last = self._read.get(settings.provider)
        return last is None or not 0 <= now - last < pause
