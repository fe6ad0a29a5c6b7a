"""A pack says of each request whose yes it took and for whom, by which rule, when it escalated and was first used."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from onepam import __version__
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.delegate import delegate
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import When, make_request
from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.system import SystemStarted
from onepam.domain.requests.approval import Agreed, Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.delegating import Delegation
from onepam.domain.requests.events import UNDO
from onepam.kernel.clock import DAY, HOUR, Instant
from tests.company import DEV, PROD, START, SUPPORT, Company, record, role_set
from tests.evidence.company import LOG, ORIGIN, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified, opened

TWO = Asking(approvals=2, escalates=HOUR, then=("lead",))
EASY = Asking(ahead=7 * DAY, weekly=7 * DAY, first_use=True, unasked=Unasked(HOUR, 2))


async def asks(company: Company, who: str, where: str, lasts: int = HOUR, when: When | None = None) -> Asked:
    of = company.ledger, company.actor(who), company.new("req"), where, "app", lasts, "on call", "OPS-1"
    made = await make_request(*of, when=when or When(), grant=company.new("grt"))
    assert isinstance(made, Asked), made
    return made


async def says_yes(company: Company, who: str, made: Asked) -> Granted | Agreed:
    said = await approve_request(company.ledger, company.actor(who), made.request, made.digest, company.new("grt"))
    assert isinstance(said, Granted | Agreed), said
    return said


async def told(folder: Path) -> bytes:
    """Two say yes, one of them for somebody else; a rule says yes; one escalates; one lasts from its first use on; and
    one runs within weekly hours."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    await record(company.ledger, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    await company.change(
        "bob",
        role_set("engineer", (replace(PROD, asking=TWO), DEV)),
        role_set("vendor", (replace(SUPPORT, asking=EASY),)),
        role_set("lead", (), (ConsoleRight.APPROVE,)),
    )
    await company.join("lea", "manager")
    await company.join("kim", "lead")
    until = Instant(company.clock.now + DAY)
    away = await delegate(company.ledger, company.actor("lea"), "dlg_1", "kim", company.clock.now, until, "away")
    assert isinstance(away, Delegation), away
    both = await asks(company, "eve", "web-1")
    assert isinstance(await says_yes(company, "max", both), Agreed)
    assert isinstance(await says_yes(company, "kim", both), Granted)
    by_rule = await asks(company, "vic", "web-1")
    assert by_rule.given is not None
    await opened(company, "vic", "web-1", "app")
    await asks(company, "eve", "web-2")
    window = await asks(company, "vic", "web-2", when=When(until=Instant(company.clock.now + 8 * HOUR)))
    weekly = await asks(company, "vic", "dev-1", 5 * DAY, When(hours="Mon-Sun 00:00-24:00 UTC"))
    for each in (window, weekly):
        assert isinstance(await says_yes(company, "max", each), Granted)
    company.clock.advance(UNDO)
    company.clock.advance(HOUR)
    await expire_access(company.ledger)
    await company.sign_in("vic")
    await opened(company, "vic", "web-2", "app")
    await company.sign_in("aud")
    path = await Live(company, folder).draw(START, Instant(START + DAY), "aud")
    assert isinstance(path, Path), path
    company.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(told(tmp_path_factory.mktemp("told")))


def table(pack: bytes, name: str) -> list[dict[str, str]]:
    report = Forge(History(), pack).read_report(name)
    return [dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"]]


def test_each_yes_is_told_by_whom_and_for_whom_and_the_pack_verifies(pack: bytes, check: Check) -> None:
    both, by_rule, escalated, window, weekly = table(pack, "requests")
    assert (both["agreed_by_name"], both["decided_by"], both["decision"]) == ("Max Example", "kim", "request.approved")
    assert (both["stood_in_by"], both["stood_in_for"], both["stood_in_for_name"], both["stood_in_under"]) == (
        "kim", "lea", "Lea Example", "manager")  # fmt: skip
    assert (by_rule["decision"], by_rule["decided_by"]) == ("request.preapproved", "")
    assert (by_rule["rule_of"], by_rule["rule_version"], by_rule["rule_use"]) == (
        "vendor",
        by_rule["role_version"],
        "1",
    )
    assert (escalated["decision"], escalated["escalated_to"]) == ("", '["lead"]')
    assert window["first_used"] > window["granted"]
    assert window["granted"] < window["lasts_until"] < window["granted_until"]
    assert (weekly["first_used"], weekly["escalated"], weekly["rule_of"]) == ("", "", "")
    code, result = check(pack, *KEYS)
    assert code == 0, result["verdict"]


def test_what_is_open_within_weekly_hours_says_them_and_what_was_used_first_its_end(pack: bytes) -> None:
    granted = [each for each in table(pack, "access") if each["mode"] == "granted"]
    hours = {each["resource"]: each["schedule"] for each in granted}
    assert '"opens":0' in hours["dev-1"]
    assert '"until"' in hours["web-2"]
    (window,) = (each for each in table(pack, "requests") if each["first_used"])
    ends = {each["resource"]: each["until"] for each in granted}
    assert ends["web-2"] == window["lasts_until"]


def test_a_session_by_a_rule_rests_on_what_approved_it(pack: bytes) -> None:
    (by_rule, *_) = [each for each in table(pack, "sessions") if each["person"] == "vic"]
    assert by_rule["approved"]
    assert by_rule["approved_by"] == ""


def test_a_yes_for_another_and_a_rule_are_not_told_otherwise(pack: bytes, check: Check) -> None:
    for column, word in (("stood_in_for", "max"), ("rule_use", "2"), ("rule_of", "engineer"), ("lasts_until", "")):
        forge = Forge(History(), pack)

        def other(report: dict[str, object], column: str = column, word: str = word) -> None:
            place = report["columns"].index(column)  # type: ignore[attr-defined]
            row = next(each for each in report["rows"] if each["cells"][place])  # type: ignore[attr-defined]
            row["cells"][place] = word

        forge.report("requests", other)
        code, result = check(forge.seal(), *KEYS)
        assert code == 1
        assert f"{column} is not what" in result["verdict"]
