"""A signal from outside to the last byte: the transmitter posts it, and the person's ssh session ends."""

import time
from collections.abc import AsyncIterator, Iterator
from secrets import token_bytes, token_hex
from typing import Any

import httpx2
import pytest

from onepam.domain.providers.entering import subject_digest
from onepam.domain.providers.events import IdentityLinked, ProviderSet
from onepam.domain.providers.signals import Delivery, SignalStreamSet
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.signing_in.events import SignedOut
from onepam.identity.tokens import new_token, token_digest
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway
from tests.identity.oidc.hostile import Hostile, minted
from tests.identity.signals.watch import AUDIENCE, CHANGED, OKTA, REVOKED, TYPE, transmitter

pytestmark = pytest.mark.anyio

TOKEN = new_token("osg", token_bytes)


@pytest.fixture(scope="module")
def sender() -> Iterator[Hostile]:
    with transmitter() as running:
        yield running


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, sender: Hostile) -> AsyncIterator[Gateway]:
    egress = (f"127.0.0.1/32:{sender.port}",)
    async with running_gateway(tmp_path_factory.mktemp("gateway"), egress=egress) as running:
        await running.record(
            ProviderSet("chg_1", "idp_1", OKTA.kind, OKTA.name, OKTA.settings, OKTA.rule, "ada", "bob"),
            SignalStreamSet(
                "chg_2", "sst_1", "Okta", sender.issuer, AUDIENCE, Delivery.PUSH, "idp_1", "", "", "ada", "bob",
                token_digest(TOKEN).hex(), None,
            ),
        )  # fmt: skip
        yield running


async def linked(gateway: Gateway) -> Person:
    person = await gateway.person()
    digest = subject_digest("idp_1", f"00u-{person.id}")
    await gateway.record(IdentityLinked(f"idn_{person.id}", "idp_1", person.id, "scim", None, digest))
    return person


async def told(gateway: Gateway, sender: Hostile, person: Person, event: str, **said: Any) -> int:
    claims = {
        "iss": sender.issuer,
        "aud": AUDIENCE,
        "iat": int(time.time()),
        "jti": token_hex(8),
        "sub_id": {"format": "iss_sub", "iss": sender.issuer, "sub": f"00u-{person.id}"},
        "events": {event: said},
    }
    headers = {"Content-Type": TYPE, "Authorization": f"Bearer {TOKEN.reveal().decode()}"}
    async with httpx2.AsyncClient(base_url=gateway.platform.config.url) as client:
        answer = await client.post("/signals/sst_1", content=minted(claims, typ="secevent+jwt"), headers=headers)
        return answer.status_code


async def test_a_revoked_session_ends_the_live_ssh_session(gateway: Gateway, sender: Hostile) -> None:
    person, other = await linked(gateway), await linked(gateway)
    working, going_on = await gateway.working(person), await gateway.working(other)
    assert await told(gateway, sender, person, REVOKED) == 202
    (ended,) = await gateway.ended(person)
    assert isinstance(ended, SessionClosed)
    assert ended.because == "session.revoked"
    left = await outcome(working)
    assert left.status != 0
    assert "this sign-in was revoked: sign in again" in left.stderr
    assert going_on.returncode is None, "somebody else goes on working"
    assert (await outcome(going_on)).status == 0
    again = await gateway.run(*gateway.ssh(person, "echo in"))
    assert again.status != 0, "and the certificate opens nothing any more"


async def test_a_renewed_factor_asks_for_a_proof_and_cuts_nothing(gateway: Gateway, sender: Hostile) -> None:
    person = await linked(gateway)
    working = await gateway.working(person)
    assert await told(gateway, sender, person, CHANGED, change_type="update", credential_type="password") == 202
    assert [each.because for each in gateway.events(SignedOut, person)] == ["credential.changed"]
    assert (await gateway.run(*gateway.ssh(person, "echo in"))).status != 0
    assert working.returncode is None
    assert (await outcome(working)).status == 0
    assert await told(gateway, sender, person, CHANGED, change_type="delete", credential_type="fido2-roaming") == 202
