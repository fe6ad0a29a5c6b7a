"""The job that reads the metadata of SAML providers again before their certificates end."""

import logging
import secrets

from onepam.app.ports import Ledger, Reader
from onepam.app.providers.take_provider_keys import take_provider_keys
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.identity.providers import Providers
from onepam.identity.saml.reading import OFTEN, MetadataReader
from onepam.identity.saml.settings import SamlSettings
from onepam.jobs.job import Job
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.providers import providers

log = logging.getLogger(__name__)

PERIOD_SECONDS = 600.0


class ProviderKeys:
    """Reads again what each provider's dates ask for."""

    def __init__(
        self, ledger: Ledger, reader: Reader, known: Providers, metadata: MetadataReader, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._known = known
        self._metadata = metadata
        self._clock = clock

    def job(self) -> Job:
        """Every ten minutes."""
        return Job("provider keys", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Each provider that is due, once."""
        for stored in [each.provider for each in await self._reader(providers)]:
            settings, now = self._known.settings(stored), self._clock()
            if not isinstance(settings, SamlSettings) or not self._metadata.due(settings, now):
                continue
            text = await self._metadata.again(settings, stored.settings, now, OFTEN)
            if isinstance(text, Refused):
                log.warning("the metadata of %s could not be read again: %s", stored.provider, text.message)
            elif text is not None:
                change = new_id("chg", secrets.token_bytes)
                await take_provider_keys(self._ledger, ProviderKeysRead(stored.provider, change, stored.change, text))
