"""What a resource asks of the second factor, with the stock client: a passkey behind it, or a factor of its own."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from onepam.app.sessions.confirm import give_confirmation
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaBasis
from onepam.domain.sessions.events import ConfirmationAsked, EntryPoint, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import FactorKind, SignedOut, SteppedUp
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway, shown_code, signed_in

pytestmark = pytest.mark.anyio

RULES = {
    "resistant": MfaRule(phishing_resistant=True),
    "fresh": MfaRule(fresh=True),
    "young": MfaRule(max_age=HOUR),
}


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        await running.record(*(running.resource(name, mfa=rule) for name, rule in RULES.items()))
        yield running


def to(gateway: Gateway, person: Person, resource: str, *command: str) -> list[str]:
    return gateway.ssh(person, *(command or ("echo in",)), user=f"{gateway.target.login}@{resource}")


async def step_up(gateway: Gateway, person: Person, factor: FactorKind) -> None:
    """A factor shown now in the sign-in behind the person's certificate."""
    basis, passkey = MfaBasis.OWN, factor is FactorKind.PASSKEY
    await gateway.record(SteppedUp(person.sign_in, person.id, factor, wall_clock(), basis, passkey))


async def give(gateway: Gateway, person: Person, confirmation: str, code: str) -> Refused | None:
    digest = code_digest(code)
    assert digest is not None
    return await give_confirmation(gateway.platform.ledger, gateway.actor(person), confirmation, digest.hex())


async def test_a_resistant_resource_opens_with_a_passkey_behind_the_certificate_and_with_nothing_else(
    gateway: Gateway,
) -> None:
    person = await gateway.person(registered=True)
    done = await gateway.run(*to(gateway, person, "resistant"))
    assert (done.status, done.stdout) == (255, b"")
    assert "opens only with a passkey behind `onepam login`" in done.stderr
    assert "/step-up with a passkey, then: onepam login" in done.stderr
    await step_up(gateway, person, FactorKind.TOTP)
    assert (await gateway.run(*to(gateway, person, "resistant"))).status == 255
    assert gateway.events(SessionOpened, person) == []
    await step_up(gateway, person, FactorKind.PASSKEY)
    assert (await gateway.run(*to(gateway, person, "resistant"))).stdout == b"in\n"
    (opened,) = gateway.events(SessionOpened, person)
    assert (opened.mfa.phishing_resistant, opened.entry) == (True, EntryPoint.SSH_CERTIFICATE)
    codes = {each.code for each in gateway.events(SessionRefused, person)}
    assert codes == {"mfa.phishing_resistant"}


async def test_a_registered_key_is_shown_no_link_for_a_resistant_resource(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False, registered=True)
    await step_up(gateway, person, FactorKind.PASSKEY)
    done = await gateway.run(*to(gateway, person, "resistant"))
    assert done.status == 255
    assert "/confirm/" not in done.stderr
    assert "passkey" in done.stderr
    assert [each for each in gateway.events(ConfirmationAsked) if each.person == person.id] == []


async def test_a_fresh_factor_opens_one_session_and_the_next_is_confirmed_under_another(gateway: Gateway) -> None:
    person = await gateway.person()
    assert (await gateway.run(*to(gateway, person, "fresh"))).stdout == b"in\n"
    process = await gateway.start(*to(gateway, person, "fresh"))
    confirmation, code = await shown_code(process)
    stale = await give(gateway, person, confirmation, code)
    assert isinstance(stale, Refused)
    assert (stale.code, stale.hint) == ("confirmation.stale_factor", "/step-up")
    await step_up(gateway, person, FactorKind.TOTP)
    assert await give(gateway, person, confirmation, code) is None
    done = await outcome(process)
    assert (done.status, done.stdout) == (0, b"in\n")
    first, second = gateway.events(SessionOpened, person)
    assert {first.entry, second.entry} == {EntryPoint.SSH_CERTIFICATE}
    assert second.mfa.at > first.mfa.at
    assert gateway.events(SessionRefused, person) == []


async def test_a_factor_too_old_for_this_target_still_opens_another(gateway: Gateway) -> None:
    person = await gateway.person()
    now = wall_clock()
    await gateway.record(
        SignedOut(person.sign_in, person.id, "again", person.id),
        signed_in(person, now, mfa_at=Instant(now - HOUR - MINUTE)),
    )
    done = await gateway.run(*to(gateway, person, "young"))
    assert done.status == 255
    assert "Your second factor is too old for this target." in done.stderr
    assert (await gateway.run(*to(gateway, person, "web-1"))).stdout == b"in\n"


async def test_a_rule_that_is_tightened_ends_no_session_and_binds_the_next(gateway: Gateway) -> None:
    person = await gateway.person()
    await gateway.record(gateway.resource("loose"))
    process = await gateway.working(person, user=f"{gateway.target.login}@loose")
    await gateway.record(replace(gateway.resource("loose"), mfa=RULES["resistant"]))
    assert (await gateway.run(*to(gateway, person, "loose"))).status == 255
    done = await outcome(process, b"still here\n")
    assert (done.status, done.stdout) == (0, b"still here\n")
