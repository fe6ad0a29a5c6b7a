"""A pack of what is asked ahead, within hours, of several and for another: drawn, verified, and lawful."""

from dataclasses import replace
from pathlib import Path

import pytest

from onepam import __version__
from onepam.app.open_session import Opened
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.delegate import delegate
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.make_request import When, make_request
from onepam.domain.access.asked import Asking
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.system import SystemStarted
from onepam.domain.requests.approval import Agreed, Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.delegating import Delegation
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, parse
from tests.company import DEV, PROD, START, record, role_set
from tests.evidence.company import LOG, ORIGIN
from tests.evidence.conftest import KEYS, Check
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified

pytestmark = pytest.mark.anyio

ROUTED = replace(PROD, asking=Asking(ticket="^OPS-", ticketed=True, ahead=7 * DAY, weekly=14 * DAY, approvals=2))


async def test_what_is_routed_is_lawful_and_its_pack_verifies(tmp_path: Path, check: Check) -> None:
    company = await LawfulCompany.create(tmp_path, certified("nod_1"))
    await record(company.ledger, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    lead = role_set("lead", (), (ConsoleRight.APPROVE,))
    await company.change("bob", role_set("engineer", (DEV, ROUTED)), lead)
    await company.join("joe", "lead")
    await company.join("sue", "manager")
    for person in ("max", "eve"):
        await company.sign_in(person)

    async def asked(request: str, when: When, duration: int = HOUR) -> Asked:
        made = await make_request(
            company.ledger, company.actor("eve"), request, "web-1", "app", duration, "why", "OPS-7", when=when
        )
        assert isinstance(made, Asked), made
        return made

    async def agreed(made: Asked, *people: str) -> Granted:
        outcome: object = None
        for number, person in enumerate(people):
            grant = f"grt_{made.request}_{number}"
            outcome = await approve_request(company.ledger, company.actor(person), made.request, made.digest, grant)
            assert isinstance(outcome, Agreed if person != people[-1] else Granted), outcome
        assert isinstance(outcome, Granted)
        return outcome

    until = Instant(company.clock.now + 5 * DAY)
    named = await delegate(company.ledger, company.actor("max"), "dlg_1", "joe", Instant(0), until, "on leave")
    assert isinstance(named, Delegation), named
    weekly = await asked("req_w", When(hours="Mon,Tue 08:00-12:00 UTC"), 10 * DAY)
    first = await agreed(weekly, "joe", "sue")
    company.clock.advance(MINUTE)
    session = await company.open("eve", "web-1", "app")
    assert isinstance(session, Opened), session
    assert session.ends == parse("2026-03-02T12:00:00Z")
    plain = await asked("req_p", When())
    second = await agreed(plain, "sue", "max")
    company.clock.advance(MINUTE)
    more = await agreed(await asked("req_x", When(extend=True)), "sue", "joe")
    assert (more.starts, more.ends) in ((second.ends, second.ends + HOUR), (first.ends, first.ends + HOUR))
    ahead = await agreed(await asked("req_a", When(Instant(company.clock.now + 6 * DAY))), "max", "sue")
    assert await end_grant(company.ledger, company.actor("eve"), ahead.grant) is None
    path = await Live(company, tmp_path).draw(START, Instant(company.clock.now), "aud")
    assert isinstance(path, Path), path
    code, result = check(path.read_bytes(), *KEYS)
    assert code == 0, result["verdict"]
    assert "'lawful': 'yes: " in str(result), result
    company.close()
