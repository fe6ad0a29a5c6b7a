"""The job that reads the metadata of SAML providers again before their certificates end."""

import asyncio
import logging
import secrets

from onepam.app.ports import Ledger, Reader
from onepam.app.providers.take_provider_keys import take_provider_keys
from onepam.boot.clock import wall_clock
from onepam.boot.identity import Identity
from onepam.domain.providers.keys import ProviderKeysRead
from onepam.identity.saml.reading import OFTEN
from onepam.identity.saml.settings import SamlSettings
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.providers import providers

log = logging.getLogger(__name__)

EVERY_SECONDS = 600.0


async def keep_provider_keys(ledger: Ledger, reader: Reader, identity: Identity, clock: Clock = wall_clock) -> None:
    """For ever."""
    while True:
        await read_due_keys(ledger, reader, identity, clock)
        await asyncio.sleep(EVERY_SECONDS)


async def read_due_keys(ledger: Ledger, reader: Reader, identity: Identity, clock: Clock) -> None:
    """Each provider whose dates ask for it, once."""
    for stored in [each.provider for each in await reader(providers)]:
        settings, now = identity.providers.settings(stored), clock()
        if not isinstance(settings, SamlSettings) or not identity.metadata.due(settings, now):
            continue
        text = await identity.metadata.again(settings, stored.settings, now, OFTEN)
        if isinstance(text, Refused):
            log.warning("the metadata of %s could not be read again: %s", stored.provider, text.message)
        elif text is not None:
            change = new_id("chg", secrets.token_bytes)
            await take_provider_keys(ledger, ProviderKeysRead(stored.provider, change, stored.change, text))
