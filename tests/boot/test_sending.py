"""Two installations: whom one of them disables loses the session at the other, by push and by poll."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sized
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

import httpx2
import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.config import BadConfig, Config
from onepam.boot.platform import Platform
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.leaving import ENDED
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.providers.events import ProviderSet
from onepam.domain.providers.signals import Delivery, SignalKind, SignalReceived, SignalStreamSet
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved, SignedOut
from onepam.egress.egress import Admitted, Egress
from onepam.egress.fetch import Fetch
from onepam.identity.signals.listener import Listener
from onepam.identity.signals.receiver import sealed_token
from onepam.identity.signals.transmitter import Transmitter
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import Instant
from onepam.kernel.secret import Secret
from tests.gateway_fixture import Gateway, outcome, running_gateway
from tests.identity.signals.watch import OKTA
from tests.targets import free_port

pytestmark = pytest.mark.anyio

OURS = new_token("osg", token_bytes)
NAMES = ("fetching", "posted-to")


@dataclass
class Two:
    """The sender with its address, and the gateway that it tells."""

    sender: Platform
    issuer: str
    gateway: Gateway

    async def record(self, *events: object) -> None:
        await self.sender.ledger.commit(NoFacts(), lambda facts, now: Decided(events, None))

    def received(self, kind: SignalKind) -> list[SignalReceived]:
        return [each for each in self.gateway.events(SignalReceived) if each.signal is kind]


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("sender")
    tokens = folder / "signals"
    tokens.mkdir(mode=0o700)
    for name in NAMES:
        (tokens / f"{name}.token").write_bytes(OURS.reveal() if name == "posted-to" else b"a-token-of-the-operators")
        (tokens / f"{name}.token").chmod(0o600)
    async with AsyncExitStack() as running:
        gateway = await running.enter_async_context(
            running_gateway(tmp_path_factory.mktemp("receiver"), egress=(f"127.0.0.1/32:{port}",))
        )
        there = gateway.platform.config.console_port
        config = Config(
            data=folder, console_port=port, console_url=issuer, ssh_port=0, egress=(f"127.0.0.1/32:{there}",),
            signal_receivers=("fetching https://b.example poll",
                              f"posted-to https://b.example http://127.0.0.1:{there}/signals/sst_push"),
        )  # fmt: skip
        sender = await running.enter_async_context(Platform(config).running())
        secret = sealed_token(Secret(b"a-token-of-the-operators"), "sst_poll", gateway.platform.envelope)
        await gateway.record(
            ProviderSet("chg_1", "idp_1", OKTA.kind, OKTA.name, OKTA.settings, OKTA.rule, "ada", "bob"),
            SignalStreamSet(
                "chg_2", "sst_push", "A, posted", issuer, "https://b.example", Delivery.PUSH, "idp_1", "", "posted-to",
                "ada", "bob", token_digest(OURS).hex(), None,
            ),
            SignalStreamSet(
                "chg_3", "sst_poll", "A, fetched", issuer, "https://b.example", Delivery.POLL, "idp_1",
                f"{issuer}/ssf/poll", "fetching", "ada", "bob", None, secret,
            ),
        )  # fmt: skip
        yield Two(sender, issuer, gateway)


async def until(what: str, count: int, found: Callable[[], Sized]) -> None:
    async with asyncio.timeout(20):
        while True:
            if len(found()) >= count:
                break
            await asyncio.sleep(0.05)
    assert len(found()) == count, what


async def test_whoever_is_disabled_there_loses_the_session_here(two: Two) -> None:
    person = await two.gateway.person()
    working = await two.gateway.working(person)
    await two.record(
        PersonAdded(
            "per_a", PersonKind.EMPLOYEE, "hired", None, None, None, name="E", email=f"{person.id}@example.com"
        ),
        FactorEnrolled("fac_a", "per_a", FactorKind.PASSKEY, "v1", None, None),
        FactorEnrolled("fac_b", "per_a", FactorKind.TOTP, "v1", None, None),
        FactorEnrolled("fac_c", "per_a", FactorKind.SSH_KEY, "v1", None, None),
    )
    await two.record(PersonDisabled("per_a", "ada", "left"), FactorRemoved("fac_a", "per_a", ENDED, "ada"))
    (ended,) = await two.gateway.ended(person)
    assert getattr(ended, "because", "") == "session.revoked"
    assert (await outcome(working)).status != 0
    await until("by both ways", 2, lambda: two.received(SignalKind.SESSION_REVOKED))
    assert [each.ended for each in two.received(SignalKind.SESSION_REVOKED)] == [1, 0]
    assert len(two.gateway.events(SignedOut, person)) == 1

    await two.record(
        FactorRemoved("fac_b", "per_a", "replaced", "per_a"), FactorRemoved("fac_c", "per_a", "removed", None)
    )
    await until("by both ways", 2, lambda: two.received(SignalKind.CREDENTIAL_CHANGE))
    assert {each.detail for each in two.received(SignalKind.CREDENTIAL_CHANGE)} == {"update"}
    cursor = two.sender.config.data / "signals" / "fetching.cursor"
    await until("the cursor moves", 1, lambda: [1] if int(cursor.read_text()) >= two.sender.ledger.size() else [])


async def test_a_verification_comes_by_both_ways(two: Two) -> None:
    receiver = two.gateway.platform
    fetch = Fetch(Egress((Admitted.parse(f"127.0.0.1/32:{two.sender.config.console_port}"),)))
    asked = Transmitter(fetch, two.issuer)
    now = Instant(time.time_ns() // 1000)
    assert await asked.verify("fetching", Secret(b"a-token-of-the-operators"), "", now) is None
    assert await asked.verify("posted-to", OURS, "", now) is None
    await until("both", 2, lambda: two.received(SignalKind.VERIFICATION))
    await fetch.aclose()
    assert receiver.config.console_port


async def test_what_we_say_of_ourselves_and_to_whom(two: Two) -> None:
    right = {"Authorization": "Bearer a-token-of-the-operators"}
    async with httpx2.AsyncClient(base_url=two.issuer) as client:
        said = (await client.get("/.well-known/ssf-configuration")).json()
        assert said["issuer"] == two.issuer
        (key,) = (await client.get("/ssf/jwks")).json()["keys"]
        assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
        assert "d" not in key
        for path in ("/ssf/stream", "/ssf/status"):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic a-token-of-the-operators"}):
                assert (await client.get(path, headers=headers)).status_code == 401, path
        (stream,) = (await client.get("/ssf/stream", headers=right)).json()
        assert (stream["stream_id"], stream["delivery"]["endpoint_url"]) == ("fetching", f"{two.issuer}/ssf/poll")
        one = await client.get("/ssf/stream?stream_id=fetching", headers=right)
        assert one.json() == stream
        assert (await client.get("/ssf/stream?stream_id=posted-to", headers=right)).status_code == 404
        assert (await client.get("/ssf/status", headers=right)).json()["status"] == "enabled"
        for body, status in (
            (b"{}", 200), (b'{"ack":["entry-99999999999999999999","x"],"maxEvents":0}', 200), (b"[]", 400), (b"x", 400),
            (b'{"ack":"x"}', 400), (b'{"ack":[1]}', 400), (b'{"maxEvents":-1}', 400), (b'{"maxEvents":true}', 400),
            (b'{"setErrs":[]}', 400), (b"x" * 70_000, 400),
        ):  # fmt: skip
            assert (await client.post("/ssf/poll", content=body, headers=right)).status_code == status, body[:40]
        other = {"Authorization": f"Bearer {OURS.reveal().decode()}"}
        assert (await client.post("/ssf/poll", content=b"{}", headers=other)).status_code == 401, "it is posted to"
        for body, status in (
            (b'{"stream_id":"posted-to"}', 404), (b'{"stream_id":"fetching","state":7}', 400), (b"", 400),
        ):  # fmt: skip
            assert (await client.post("/ssf/verify", content=body, headers=right)).status_code == status, body
        assert (await client.post("/ssf/verify", content=b"{}")).status_code == 401


async def test_without_receivers_there_is_no_transmitter(two: Two) -> None:
    async with httpx2.AsyncClient(base_url=two.gateway.platform.config.url) as client:
        answer = await client.get("/.well-known/ssf-configuration")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "receivers",
    [("siem",), ("SIEM aud poll",), ("siem aud ftp://x",), ("siem aud poll", "siem other poll"), ("../x aud poll",)],
)
def test_a_receiver_that_cannot_be_read_is_told(receivers: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(BadConfig):
        _ = Config(tmp_path, signal_receivers=receivers).listeners
    assert Config(tmp_path, signal_receivers=("siem aud poll",)).listeners == (Listener("siem", "aud", ""),)
