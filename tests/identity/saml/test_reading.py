"""A provider's metadata is read again: by its dates, on a signature that does not fit, bounded, and for keys only."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from onepam.egress.fetch import Fetched
from onepam.identity.saml.reading import BEFORE, OFTEN, PAUSE, MetadataReader
from onepam.identity.saml.settings import SamlSettings, idp_mapping, parse
from onepam.kernel.clock import DAY, Instant, instant
from onepam.kernel.errors import Refused
from tests.identity.saml.forge import CONSOLE, IDP_EC_KEY, IDP_KEY, NOW, OUR_KEY, SETTINGS
from tests.identity.saml.test_metadata import descriptor, entity, sso

pytestmark = pytest.mark.anyio

ADDRESS = "https://idp.example.com/metadata"


@dataclass
class Published:
    """What stands at the address; it stands in for the network, whose own tests are in tests/gateway/test_fetch.py."""

    body: str
    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def get(self, url: str, *, limit_bytes: int) -> Fetched | Refused:
        self.asked.append(url)
        return Fetched(self.status, "application/xml", self.body.encode(), {})


def known(**idp: Any) -> tuple[SamlSettings, str]:
    text = json.dumps({"idp": idp_mapping(replace(SETTINGS.idp, **idp)), "metadata_url": ADDRESS})
    found = parse("idp_1", CONSOLE, json.loads(text), (OUR_KEY,))
    assert isinstance(found, SamlSettings), found
    return found, text


def test_an_address_is_kept_and_must_be_https() -> None:
    assert known()[0].read_from == ADDRESS
    mapping = {"idp": idp_mapping(SETTINGS.idp), "metadata_url": "http://idp.example.com/metadata"}
    wrong = parse("idp_1", CONSOLE, mapping, (OUR_KEY,))
    assert isinstance(wrong, Refused)


async def test_another_key_is_taken_and_nothing_else() -> None:
    there = Published(entity(descriptor(IDP_EC_KEY), sso(location="https://evil.example.com/sso")))
    reader = MetadataReader(there)  # type: ignore[arg-type]
    settings, text = known()
    read = await reader.again(settings, text, NOW)
    assert isinstance(read, str)
    after = parse("idp_1", CONSOLE, json.loads(read), (OUR_KEY,))
    assert isinstance(after, SamlSettings)
    assert after.idp.signing == (IDP_EC_KEY.certificate,)
    assert after.idp.sso == settings.idp.sso
    # At most every five minutes, whoever sends messages with odd signatures.
    assert await reader.again(settings, text, Instant(NOW + PAUSE - 1)) is None
    assert len(there.asked) == 1
    assert isinstance(await reader.again(settings, text, Instant(NOW + PAUSE)), str)


async def test_what_is_no_metadata_of_the_provider_changes_nothing() -> None:
    settings, text = known()
    for there in (
        Published(entity(descriptor(IDP_EC_KEY), sso(), entity_id="https://other.example.com")),
        Published("<html>gone</html>"),
        Published("", 404),
    ):
        assert isinstance(await MetadataReader(there).again(settings, text, NOW), Refused)  # type: ignore[arg-type]
    same = Published(entity(descriptor(IDP_KEY), sso()))
    pasted = replace(settings, read_from="")
    assert await MetadataReader(same).again(pasted, text, NOW) is None  # type: ignore[arg-type]
    assert same.asked == []


async def test_it_is_due_two_weeks_before_the_certificate_ends() -> None:
    settings, text = known()
    reader = MetadataReader(Published(entity(descriptor(IDP_EC_KEY), sso())))  # type: ignore[arg-type]
    ends = instant(max(each.not_valid_after_utc for each in settings.idp.signing))
    assert not reader.due(settings, Instant(ends - BEFORE - 1))
    assert reader.due(settings, Instant(ends - BEFORE))
    assert not reader.due(replace(settings, read_from=""), ends)
    assert reader.due(known(refresh_after=NOW)[0], NOW)
    assert not reader.due(known(refresh_after=Instant(NOW + 1))[0], NOW)
    assert reader.due(known(valid_until=Instant(NOW + BEFORE))[0], NOW)
    await reader.again(settings, text, Instant(ends - DAY))
    assert not reader.due(settings, Instant(ends - DAY + OFTEN - 1))
    assert reader.due(settings, Instant(ends - DAY + OFTEN))
