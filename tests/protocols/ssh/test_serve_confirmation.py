"""A registered key opens nothing by itself: its person confirms in a browser, by code and by a fresh factor."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from onepam.app.sessions.confirm import give_confirmation
from onepam.boot.clock import wall_clock
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.proof import MfaProof
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.events import (
    ConfirmationAsked,
    ConfirmationFailed,
    ConfirmationGiven,
    ConfirmationUsed,
    EntryPoint,
    SessionOpened,
    SessionRefused,
)
from onepam.domain.signing_in.events import FactorRemoved, SignedOut
from onepam.gateway import entering as entering_module
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway, shown_code, signed_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def give(gateway: Gateway, person: Person, confirmation: str, code: str) -> Refused | None:
    """What the confirmation page does with what is typed there."""
    digest = code_digest(code)
    return await give_confirmation(
        gateway.platform.ledger, gateway.actor(person), confirmation, digest.hex() if digest else ""
    )


async def key_only(gateway: Gateway) -> Person:
    return await gateway.person(certificate=False, registered=True)


async def test_the_terminal_goes_on_once_its_person_has_confirmed(gateway: Gateway) -> None:
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    assert gateway.events(SessionOpened, person) == []
    assert await give(gateway, person, confirmation, code) is None
    done = await outcome(process)
    assert (done.status, done.stdout) == (0, b"in\n")
    opened = gateway.events(SessionOpened, person)[0]
    assert opened.entry is EntryPoint.SSH_KEY_CONFIRMED
    assert opened.mfa.session == person.sign_in
    assert wall_clock() - opened.mfa.at < MINUTE
    assert [each.session for each in gateway.events(ConfirmationUsed)][-1] == opened.session
    assert gateway.events(SessionRefused, person) == []


async def test_a_code_that_the_terminal_does_not_show_ends_the_attempt_at_once(gateway: Gateway) -> None:
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    wrong = await give(gateway, person, confirmation, "ZZZZ-ZZZZ")
    assert isinstance(wrong, Refused)
    assert wrong.code == "confirmation.wrong_code"
    async with asyncio.timeout(2):
        done = await outcome(process)
    assert (done.status, done.stdout) == (255, b"")
    assert "The confirmation was refused." in done.stderr
    again = await give(gateway, person, confirmation, code)
    assert isinstance(again, Refused)
    assert again.code == "confirmation.gone"
    assert gateway.events(SessionOpened, person) == []


async def test_a_link_that_somebody_else_opens_ends_the_attempt(gateway: Gateway) -> None:
    person, other = await key_only(gateway), await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    refused = await give(gateway, other, confirmation, code)
    assert isinstance(refused, Refused)
    assert refused.code == "confirmation.wrong_person"
    assert (await outcome(process)).status == 255
    failed = gateway.events(ConfirmationFailed)[-1]
    assert (failed.confirmation, failed.by, failed.code) == (confirmation, other.id, "confirmation.wrong_person")
    assert gateway.events(SessionOpened, person) == gateway.events(SessionOpened, other) == []


async def test_a_factor_that_is_not_fresh_does_not_confirm_and_a_fresh_one_then_does(gateway: Gateway) -> None:
    person = await key_only(gateway)
    now = wall_clock()
    await gateway.record(
        SignedOut(person.sign_in, person.id, "again", person.id),
        signed_in(person, now, mfa_at=Instant(now - 6 * MINUTE)),
    )
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    stale = await give(gateway, person, confirmation, code)
    assert isinstance(stale, Refused)
    assert (stale.code, stale.hint) == ("confirmation.stale_factor", "/step-up")
    await gateway.record(SignedOut(person.sign_in, person.id, "again", person.id), signed_in(person, wall_clock()))
    assert await give(gateway, person, confirmation, code) is None
    assert (await outcome(process)).stdout == b"in\n"


async def test_two_terminals_have_two_codes_and_each_opens_its_own(gateway: Gateway) -> None:
    person = await key_only(gateway)
    one, two = [await gateway.start(*gateway.ssh(person, f"echo {name}")) for name in ("one", "two")]
    first, second = await shown_code(one), await shown_code(two)
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert await give(gateway, person, *second) is None
    assert (await outcome(two)).stdout == b"two\n"
    assert one.returncode is None
    crossed = await give(gateway, person, first[0], second[1])
    assert isinstance(crossed, Refused)
    assert (await outcome(one)).status == 255


async def test_a_confirmation_serves_once(gateway: Gateway) -> None:
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    assert await give(gateway, person, confirmation, code) is None
    await outcome(process)
    again = await give(gateway, person, confirmation, code)
    assert isinstance(again, Refused)
    assert again.code == "confirmation.gone"
    assert len(gateway.events(SessionOpened, person)) == 1


async def test_nobody_confirms_in_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entering_module, "LIFETIME", 1 * SECOND)
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    done = await outcome(process)
    assert done.status == 255
    assert "Nobody confirmed this in time." in done.stderr
    assert gateway.events(SessionOpened, person) == []
    late = await give(gateway, person, confirmation, code)  # the page still answers; the terminal has gone
    assert late is None or late.code == "confirmation.gone"
    assert gateway.events(SessionOpened, person) == []


async def test_a_person_disabled_before_confirming(gateway: Gateway) -> None:
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    await gateway.record(PersonDisabled(person.id, "per_ada", "left"))
    refused = await give(gateway, person, confirmation, code)
    assert isinstance(refused, Refused)
    process.terminate()
    await outcome(process, None)
    assert gateway.events(SessionOpened, person) == []


async def test_access_taken_between_the_confirmation_and_the_opening(gateway: Gateway) -> None:
    """The confirmation is given and the access is gone in one command: what was confirmed is looked at again."""
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, _ = await shown_code(process)
    proof = MfaProof(person.sign_in, ("totp",), wall_clock())
    await gateway.record(
        BindingEnded(person.binding, "left", "chg_2", None), ConfirmationGiven(confirmation, person.id, proof)
    )
    done = await outcome(process)
    assert (done.status, done.stdout) == (255, b"")
    assert [each.code for each in gateway.events(SessionRefused, person)] == ["resource.unknown"]


async def test_a_client_that_leaves_while_it_waits_leaves_nothing_behind(gateway: Gateway) -> None:
    person = await key_only(gateway)
    process = await gateway.start(*gateway.ssh(person, "echo in"))
    confirmation, code = await shown_code(process)
    process.terminate()
    await outcome(process, None)
    async with asyncio.timeout(5):
        while gateway.platform.live._waiting:  # noqa: ASYNC110 - nobody else knows
            await asyncio.sleep(0.02)
    await give(gateway, person, confirmation, code)
    await asyncio.sleep(0.2)
    assert gateway.events(SessionOpened, person) == []
    assert len(gateway.platform.live) == 0


async def test_a_key_that_was_removed_is_no_key(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False)
    registration = gateway.registration(person)
    await gateway.record(registration)
    await gateway.record(FactorRemoved(registration.factor, person.id, "lost", person.id))
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert "No key that you offered is known here." in done.stderr
    assert [each for each in gateway.events(ConfirmationAsked) if each.person == person.id] == []
