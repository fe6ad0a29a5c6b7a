"""Negative probes on real listeners: what a leaver held is refused on every path, and nobody else can use the way."""

import asyncio
import contextlib
import http.client
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Any

import asyncssh
import pytest

from onepam.boot.clock import wall_clock
from onepam.boot.jobs import prober_of
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import Substance
from onepam.domain.leaving.probing import (
    Probe,
    ProbedProof,
    ProbeMade,
    ProbeOrdered,
    ProbePath,
    ProbePurpose,
    ProbeResult,
)
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.requests.events import GrantEnded, GrantStarted
from onepam.domain.sessions.events import SessionOpened, SessionRefused
from onepam.domain.signing_in.events import (
    CertificateIssued,
    FactorKind,
    FactorRemoved,
    SignedIn,
    SignedOut,
    SignInKind,
)
from onepam.gateway.probes import HEADER
from onepam.jobs.probing import answered
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.ids import new_id
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.probe import MOST_CHANNELS, PROBER, asking
from onepam.store.engine.database import connect
from tests.boot.test_web import certificate
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, running_gateway

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def signed_in(gateway: Gateway, person: Person, kind: SignInKind) -> tuple[str, str]:
    """Another session of the person: its id and its token."""
    session, token = new_id("sgn", token_bytes), "opc_" + token_bytes(24).hex()[:43]
    now = wall_clock()
    factors = (FactorKind.PASSWORD, FactorKind.TOTP)
    await gateway.record(
        SignedIn(
            session,
            person.id,
            kind,
            factors,
            now,
            Instant(now + HOUR),
            None,
            token_digest=sha256(token.encode()).hexdigest(),
            source="127.0.0.1",
            agent="test",
        )
    )
    return session, token


async def somebody(gateway: Gateway) -> Person:
    """A person with one of each: a certificate, a registered key, a cookie, a CLI token, and a session behind them."""
    person = await gateway.person()
    assert (await gateway.run(*gateway.ssh(person, "true"))).status == 0
    await gateway.record(gateway.registration(person))
    await signed_in(gateway, person, SignInKind.CONSOLE)
    blob = asyncssh.import_public_key(person.public_line).get_fingerprint()
    await gateway.record(CertificateIssued(person.sign_in, person.id, 4711, Instant(wall_clock() + HOUR), blob))
    return person


async def leaves(gateway: Gateway, person: Person) -> None:
    """All that `disable_person` records that these proofs rest on."""
    (key,) = [
        each for each in gateway.events(object) if getattr(each, "person", "") == person.id and hasattr(each, "factor")
    ]
    await gateway.record(
        PersonDisabled(person.id, "per_ada", "left"),
        SignedOut(person.sign_in, person.id, "person.disabled", None),
        FactorRemoved(key.factor, person.id, "person.disabled", None),
    )


async def probed(gateway: Gateway, person: Person, count: int, purpose: ProbePurpose) -> list[ProbeMade]:
    async with asyncio.timeout(SECONDS):
        while True:
            found = [each for each in gateway.events(ProbeMade, person) if each.purpose is purpose]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


@pytest.mark.claim(
    "Whoever leaves loses every way in by one command, and the listeners are asked whether it is so",
    altered="the decision no longer asked whether the account is enabled",
)
async def test_every_proof_of_a_leaver_is_refused_on_its_real_listener(gateway: Gateway) -> None:
    person = await somebody(gateway)
    before = len(gateway.events(SessionOpened)), len(gateway.events(SessionRefused))
    await leaves(gateway, person)
    made = await probed(gateway, person, 5, ProbePurpose.LEAVER)
    assert {(each.path, each.proof, each.result, each.code) for each in made} == {
        (ProbePath.SSH, ProbedProof.ACCOUNT, ProbeResult.REFUSED, "person.disabled"),
        (ProbePath.SSH, ProbedProof.CERTIFICATE, ProbeResult.REFUSED, "person.disabled"),
        (ProbePath.SSH, ProbedProof.SSH_KEY, ProbeResult.REFUSED, "key.unknown"),
        (ProbePath.CONSOLE, ProbedProof.COOKIE, ProbeResult.REFUSED, "sign_in.ended"),
        (ProbePath.API, ProbedProof.TOKEN, ProbeResult.REFUSED, "token.missing"),
    }
    assert {each.node for each in made} == {gateway.platform.node.name}
    assert all((each.fingerprint != "") is (each.proof is not ProbedProof.ACCOUNT) for each in made)
    assert {each.resource for each in made if each.path is ProbePath.SSH} == {"web-1"}
    assert (len(gateway.events(SessionOpened)), len(gateway.events(SessionRefused))) == before
    await asyncio.sleep(1.5)
    assert len(await probed(gateway, person, 5, ProbePurpose.LEAVER)) == 5, "asked once"


async def test_a_restart_asks_nothing_twice(gateway: Gateway) -> None:
    """Another prober of the same node finds every answer in the ledger; what was not answered is asked again."""
    person = await somebody(gateway)
    await leaves(gateway, person)
    await probed(gateway, person, 5, ProbePurpose.LEAVER)
    again = prober_of(gateway.platform)
    for _ in range(2):
        await again.turn()
        await asyncio.sleep(1)
    assert len(gateway.events(ProbeMade, person)) == 5


async def test_a_service_accounts_key_is_refused_too(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False)
    service = replace(person, id=new_id("per", token_bytes))
    key = replace(gateway.registration(person), person=service.id, networks=("127.0.0.0/8",))
    ends = Instant(wall_clock() + HOUR)
    await gateway.record(
        PersonAdded(service.id, PersonKind.SERVICE, "nightly", None, person.id, ends, name="Backup"), key
    )
    await gateway.record(
        PersonDisabled(service.id, "per_ada", "no longer needed"),
        FactorRemoved(key.factor, service.id, "person.disabled", None),
    )
    made = await probed(gateway, service, 2, ProbePurpose.LEAVER)
    assert {(each.proof, each.code) for each in made} == {
        (ProbedProof.ACCOUNT, "service.entry"),
        (ProbedProof.SSH_KEY, "key.unknown"),
    }


async def test_what_was_taken_from_somebody_who_stays_is_refused(gateway: Gateway) -> None:
    """Whoever was cut off is probed at that very target, with the certificate that had opened it."""
    person = await gateway.person()
    blob = asyncssh.import_public_key(person.public_line).get_fingerprint()
    await gateway.record(CertificateIssued(person.sign_in, person.id, 4712, Instant(wall_clock() + HOUR), blob))
    process = await gateway.working(person)
    await gateway.record(BindingEnded(person.binding, "moved", "chg_2", None))
    assert await process.wait() == 255
    (made,) = await probed(gateway, person, 1, ProbePurpose.REVOKED)
    assert (made.resource, made.login, made.proof, made.result, made.code) == (
        "web-1", gateway.target.login, ProbedProof.CERTIFICATE, ProbeResult.REFUSED, "resource.unknown",
    )  # fmt: skip
    await asyncio.sleep(1.5)
    assert len(gateway.events(ProbeMade, person)) == 1, "asked once"


async def test_a_grant_that_ended_beside_another_way_in(gateway: Gateway) -> None:
    person = await somebody(gateway)
    now, login = wall_clock(), gateway.target.login
    substance = Substance(person.id, "web-1", login, person.role, "v1", STANDING.name, STANDING.actions, MINUTE)
    grant = GrantStarted("grt_2", "req_2", substance, person.binding, "per_max", now, Instant(now + MINUTE))
    await gateway.record(grant, GrantEnded("grt_2", "req_2", "ended", "per_max"))
    (made,) = await probed(gateway, person, 1, ProbePurpose.REVOKED)
    assert (made.proof, made.result) == (ProbedProof.CERTIFICATE, ProbeResult.WOULD_OPEN)
    assert made.code == person.binding


async def test_a_probe_sees_an_open_door(gateway: Gateway) -> None:
    """Else a refusal would prove nothing. An order also probes somebody who may come in; no session comes of it."""
    person = await somebody(gateway)
    opened = len(gateway.events(SessionOpened))
    await gateway.record(ProbeOrdered(person.id, "per_ada"))
    made = await probed(gateway, person, 5, ProbePurpose.ORDERED)
    assert {(each.proof, each.result) for each in made} == {
        (ProbedProof.ACCOUNT, ProbeResult.REFUSED),  # no proof at all
        (ProbedProof.CERTIFICATE, ProbeResult.WOULD_OPEN),
        (ProbedProof.SSH_KEY, ProbeResult.WOULD_OPEN),  # it would go on to the confirmation
        (ProbedProof.COOKIE, ProbeResult.WOULD_OPEN),
        (ProbedProof.TOKEN, ProbeResult.WOULD_OPEN),
    }
    assert len(gateway.events(SessionOpened)) == opened
    assert len(gateway.platform.live) == 0


async def test_nobody_comes_in_without_a_second_factor(gateway: Gateway) -> None:
    """The daily probe, as it runs after a start; here its answers about somebody known."""
    person = await somebody(gateway)
    blank = Probe(new_id("prb", token_bytes), person.id, ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.NO_MFA)
    key = asyncssh.import_public_key(person.public_line).get_fingerprint()
    questions = [
        replace(blank, resource="web-1", login=gateway.target.login),
        replace(blank, proof=ProbedProof.SSH_KEY, sought=key, resource="web-1", login=gateway.target.login),
    ]
    async with prober(gateway) as ask:
        for each in questions:
            assert await ask(gateway.platform.probes.ticket(each))
    made = await probed(gateway, person, 2, ProbePurpose.NO_MFA)
    assert [each.code for each in made] == ["sign_in.ended", "mfa.asked"]


# The ways to abuse it ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def prober(gateway: Gateway) -> AsyncIterator[Any]:
    platform = gateway.platform
    async with asking(
        "127.0.0.1", platform.ssh_port, platform.prober_key, platform.authorities.gateway_host_key.convert_to_public()
    ) as ask:
        assert ask is not None
        yield ask


async def as_prober(gateway: Gateway, key: asyncssh.SSHKey) -> Any:
    host_key = gateway.platform.authorities.gateway_host_key.convert_to_public()
    return await dial("127.0.0.1", gateway.platform.ssh_port, PROBER, key, None, [host_key], 5)


def question(path: ProbePath = ProbePath.SSH) -> Probe:
    return Probe(new_id("prb", token_bytes), "per_x", path, ProbedProof.ACCOUNT, ProbePurpose.ORDERED, resource="web-1")


async def test_a_foreign_key_is_no_prober(gateway: Gateway) -> None:
    """Any key but this process's own: a fresh one, that of another process (made the same way), a registered person's,
    and the certificate of somebody signed in."""
    person = await somebody(gateway)
    mine = asyncssh.read_private_key(str(person.key))
    for key in (asyncssh.generate_private_key("ssh-ed25519"), mine):
        assert not isinstance(await as_prober(gateway, key), TargetConnection)
    done = await gateway.run(*gateway.ssh(person, "x" * 43, user=PROBER))
    assert done.status == 255
    assert b"result" not in done.stdout


async def test_the_provers_key_opens_no_target(gateway: Gateway) -> None:
    """Under its own user name it gets no terminal, shell, subsystem or forwarding; under a person's it is unknown."""
    key = gateway.platform.prober_key
    connection = await as_prober(gateway, key)
    assert isinstance(connection, TargetConnection)
    for attempt in (
        connection.create_process,
        lambda: connection.create_process(term_type="xterm"),
        connection.start_sftp_client,
        lambda: connection.create_process("cat /etc/passwd"),
        lambda: connection.open_connection("127.0.0.1", gateway.target.port),
        lambda: connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 22),
    ):
        with pytest.raises((asyncssh.Error, asyncssh.ChannelListenError, OSError)):
            async with asyncio.timeout(5):
                await attempt()
    connection.close()
    host_key = gateway.platform.authorities.gateway_host_key.convert_to_public()
    login = f"{gateway.target.login}@web-1"
    refused = await dial("127.0.0.1", gateway.platform.ssh_port, login, key, None, [host_key], 5)
    assert not isinstance(refused, TargetConnection)


async def test_a_connection_of_the_prober_is_bounded(gateway: Gateway) -> None:
    connection = await as_prober(gateway, gateway.platform.prober_key)
    for _ in range(MOST_CHANNELS):
        assert (await connection.run("x" * 43, check=False)).stdout == b'{"result":"none"}\n'
    with pytest.raises(asyncssh.Error):
        await connection.run("x" * 43)
    connection.close()


@pytest.mark.parametrize(
    "ticket", ["", "x", "x" * 43, "x" * 42, "x" * 44, "x" * 30_000, "ü" * 43, '{"person":"per_1"}']
)
async def test_a_ticket_that_is_not_ours(gateway: Gateway, ticket: str) -> None:
    made = len(gateway.events(ProbeMade))
    async with prober(gateway) as ask:
        assert not await ask(ticket)
    assert len(gateway.events(ProbeMade)) == made


async def test_a_ticket_serves_once_and_on_its_path_only(gateway: Gateway) -> None:
    tickets = gateway.platform.probes
    async with prober(gateway) as ask:
        mine = tickets.ticket(question())
        assert await ask(mine)
        assert not await ask(mine)
        assert not await ask(tickets.ticket(question(ProbePath.CONSOLE)))
    console = tickets.ticket(question(ProbePath.CONSOLE))
    assert (await over_http(gateway, "/api/v1/me", {HEADER: console}))[0] == 403
    assert (await over_http(gateway, "/", {HEADER: console}))[0] == 403, "an attempt in the wrong place spends it"


async def test_a_forged_header_reaches_no_handler(gateway: Gateway) -> None:
    """Not even with a cookie or token that is good: whoever sends the header has asked to be answered as a probe."""
    person = await somebody(gateway)
    _, cookie = await signed_in(gateway, person, SignInKind.CONSOLE)
    _, token = await signed_in(gateway, person, SignInKind.CLI)
    assert (await over_http(gateway, "/", {"Cookie": f"onepam_session={cookie}"}))[0] == 200
    assert (await over_http(gateway, "/api/v1/me", {"Authorization": f"Bearer {token}"}))[0] == 200
    for path, headers in (
        ("/", {"Cookie": f"onepam_session={cookie}"}),
        ("/people", {"Cookie": f"onepam_session={cookie}"}),
        ("/api/v1/me", {"Authorization": f"Bearer {token}"}),
        ("/api/v1/people", {"Authorization": f"Bearer {token}"}),
    ):
        for forged in ("", "x" * 43, "x" * 5_000):
            status, body = await over_http(gateway, path, {**headers, HEADER: forged})
            assert (status, body) == (403, b"")


async def test_a_probe_on_a_page_that_writes_writes_nothing(gateway: Gateway) -> None:
    ticket = gateway.platform.probes.ticket(question(ProbePath.CONSOLE))
    size = gateway.platform.ledger.size()
    status, body = await over_http(gateway, "/people", {HEADER: ticket}, "POST")
    assert (status, json.loads(body)["result"]) == (200, "refused")
    with closing(connect(gateway.platform.database)) as db:
        written = [each for (each,) in db.execute("SELECT kind FROM entry WHERE idx >= ?", (size,))]
    by_itself = ("system.", "recordings.")
    assert [each for each in written if not each.startswith(by_itself)] == ["probe.made"], "that it was asked"


async def over_http(gateway: Gateway, path: str, headers: dict[str, str], method: str = "GET") -> tuple[int, bytes]:
    def fetch() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.platform.config.console_port, timeout=10)
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found

    return await asyncio.to_thread(fetch)


async def test_a_listener_that_cannot_be_asked_is_said_to_be_unanswered(gateway: Gateway, tmp_path: Path) -> None:
    platform = gateway.platform
    nowhere = prober_of(platform)
    nowhere._listeners = replace(nowhere._listeners, ssh_port=gateway.closed_port, console_port=gateway.closed_port)
    person = await gateway.person()
    blank = replace(question(), person=person.id)
    await nowhere._ask([blank, replace(blank, path=ProbePath.API)])
    made = gateway.events(ProbeMade, person)
    assert [(each.path, each.result) for each in made] == [
        (ProbePath.SSH, ProbeResult.UNANSWERED),
        (ProbePath.API, ProbeResult.UNANSWERED),
    ]
    assert not answered(lambda: http.client.HTTPConnection("127.0.0.1", gateway.closed_port), "/", "x")


async def test_listeners_with_tls_of_their_own_are_asked_too(tmp_path: Path) -> None:
    """The prober takes exactly the console's own certificate, whoever signed it and whatever name it carries."""
    chain, key = certificate(tmp_path)
    async with running_gateway(tmp_path, tls_certificate=str(chain), tls_key=str(key)) as gateway:
        person = await gateway.person()
        await signed_in(gateway, person, SignInKind.CONSOLE)
        await gateway.record(PersonDisabled(person.id, "per_ada", "left"))
        made = await probed(gateway, person, 3, ProbePurpose.LEAVER)
        assert {each.path for each in made} == set(ProbePath) - {ProbePath.POSTGRES, ProbePath.MYSQL}, (
            "nobody listens for databases here"
        )
        assert {each.result for each in made} == {ProbeResult.REFUSED}
        stranger, _ = certificate(tmp_path / "people")
        other = prober_of(gateway.platform)
        other._listeners = replace(other._listeners, certificate=str(stranger))
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(other._connection().connect)
