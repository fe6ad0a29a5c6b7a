"""A service account at the real client: its key opens from its networks, with no person, and stops once it is taken."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_bytes

import asyncssh
import pytest

from onepam.app.people.add_service_key import add_service_key
from onepam.app.people.remove_service_key import remove_service_key
from onepam.boot.clock import wall_clock
from onepam.domain.access.authority import Actor
from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.sessions.events import ConfirmationAsked, EntryPoint, SessionClosed, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.service_keys import ServiceKey
from onepam.identity.ssh_keys import fingerprint
from onepam.kernel.clock import DAY, FOREVER, Instant
from onepam.kernel.ids import new_id
from tests.gateway_fixture import STANDING, Gateway, Person, keygen, outcome, role_set, running_gateway

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """It listens on both IPv6 and IPv4: who comes by either has the address that their networks are written in."""
    async with running_gateway(tmp_path_factory.mktemp("gateway"), ssh_host="::") as running:
        yield running


@pytest.fixture(scope="module")
async def administrator(gateway: Gateway) -> Actor:
    return gateway.actor(await gateway.person(console=(ConsoleRight.ADMINISTER,)))


async def bot(gateway: Gateway, administrator: Actor, network: str) -> tuple[Person, str]:
    """A service account with a key that may come from the network; and the key's id."""
    who = new_id("per", token_bytes)
    folder: Path = gateway.folder / who
    folder.mkdir()
    found = Person(who, f"role-{who[4:]}", new_id("bnd", token_bytes), "", folder / "id")
    keygen(found.key)
    ends = Instant(wall_clock() + DAY)
    await gateway.record(
        PersonAdded(who, PersonKind.SERVICE, "deploys", None, administrator.person, ends, name="Deploy bot"),
        role_set(found.role, STANDING),
        BindingAdded(found.binding, found.role, SubjectKind.PERSON, who, None, "file", "work", "chg_1", None),
    )
    blob = asyncssh.import_public_key(found.public_line).public_data
    factor = new_id("fac", token_bytes)
    key = ServiceKey(factor, who, "ci", fingerprint(blob), found.public_line, (network,))
    first = FactorEnrolled(
        "fac_" + who[4:], who, FactorKind.SSH_KEY, "", FOREVER, "another",
        label="ci", reference=key.fingerprint, public=key.line, networks=(network,),
    )  # fmt: skip
    await gateway.record(first)  # another administrator's word: the targets are production
    assert await add_service_key(gateway.platform.ledger, administrator, key) is False
    return found, factor


async def test_a_machine_runs_a_command_without_anybody_confirming(gateway: Gateway, administrator: Actor) -> None:
    machine, _ = await bot(gateway, administrator, "127.0.0.0/8")
    done = await gateway.run(*gateway.ssh(machine, "echo in"))
    assert (done.status, done.stdout, done.stderr) == (0, b"in\n", "")
    (opened,) = gateway.events(SessionOpened, machine)
    assert opened.entry is EntryPoint.SSH_SERVICE_KEY
    assert (opened.mfa.session, opened.mfa.factors) == ("", ("machine",))
    (closed,) = await gateway.ended(machine)
    assert isinstance(closed, SessionClosed)
    assert closed.verified
    assert gateway.recorded(opened.session)
    assert [each for each in gateway.events(ConfirmationAsked) if each.person == machine.id] == []


async def test_it_comes_by_ipv6(gateway: Gateway, administrator: Actor) -> None:
    machine, _ = await bot(gateway, administrator, "::1/128")
    command = ["::1" if each == "127.0.0.1" else each for each in gateway.ssh(machine, "echo in")]
    done = await gateway.run(*command)
    assert (done.status, done.stdout, done.stderr) == (0, b"in\n", "")
    (opened,) = gateway.events(SessionOpened, machine)
    assert opened.source == "::1"


async def test_its_key_opens_nothing_from_another_network(gateway: Gateway, administrator: Actor) -> None:
    machine, _ = await bot(gateway, administrator, "192.0.2.0/24")
    done = await gateway.run(*gateway.ssh(machine, "echo in"))
    assert (done.status, done.stdout) == (255, b"")
    assert "This key may not come from 127.0.0.1." in done.stderr
    (told,) = gateway.events(SessionRefused, machine)
    assert (told.entry, told.code) == (EntryPoint.SSH_SERVICE_KEY, "service.network")
    assert gateway.events(SessionOpened, machine) == []


async def test_a_removed_key_ends_what_it_opened_and_opens_no_more(gateway: Gateway, administrator: Actor) -> None:
    machine, factor = await bot(gateway, administrator, "127.0.0.1/32")
    process = await gateway.working(machine)
    assert await remove_service_key(gateway.platform.ledger, administrator, machine.id, factor) is None
    async with asyncio.timeout(1):
        await process.wait()
    done = await outcome(process)
    assert done.status != 0
    assert "the key of this service account was removed" in done.stderr
    (closed,) = await gateway.ended(machine)
    assert closed == gateway.events(SessionClosed)[-1]
    assert isinstance(closed, SessionClosed)
    assert closed.because == "service.key"
    again = await gateway.run(*gateway.ssh(machine, "echo in"))
    assert again.status == 255
    assert "No key that you offered is known here." in again.stderr
