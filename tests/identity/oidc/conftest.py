"""A hostile provider, and a relying party that may reach it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from onepam.egress.fetch import Fetch
from onepam.identity.oidc.relying_party import RelyingParty
from tests.identity.oidc.hostile import Hostile, hostile_provider


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with hostile_provider() as running:
        yield running


@pytest.fixture
async def victim(hostile: Hostile) -> AsyncIterator[RelyingParty]:
    fetch = Fetch(hostile.egress)
    yield RelyingParty(fetch)
    await fetch.aclose()
