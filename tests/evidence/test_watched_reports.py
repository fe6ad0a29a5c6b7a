"""The reports of inspections, incidents and policies: their rows follow from the entries, and a lie in one is found."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepam import __version__
from onepam.app.incidents.keep_incident import (
    assign_incident,
    close_incident,
    note_to_incident,
    open_incident,
    remind_owners,
    reopen_incident,
)
from onepam.app.sessions.inspect_recording import inspect_recording
from onepam.app.sessions.watch_recording import watch_recording
from onepam.domain.controls.control import Severity
from onepam.domain.history.system import SystemStarted
from onepam.domain.incidents.events import Link, LinkKind
from onepam.domain.incidents.handling import Draft
from onepam.domain.policies.events import PolicyConfirmed, PolicyLookedThrough, PolicyPublished, PolicyReminded
from onepam.domain.sessions.inspecting import Verdict
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.kernel.clock import DAY, Instant
from tests.app.test_inspections import ended
from tests.company import START, record
from tests.evidence.company import LOG, ORIGIN, History
from tests.evidence.conftest import KEYS, Check
from tests.evidence.forge import Forge
from tests.evidence.lawful_company import LawfulCompany
from tests.evidence.live import Live, certified


async def watched(folder: Path) -> bytes:
    """A pack of six days: a session that was drawn and inspected, one that was not drawn, one that was found bad, one
    that goes on; an incident that was closed and opened again; and a policy that one of two has read."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    of, ada, aud = company.ledger, company.actor("ada"), company.actor("aud")
    await record(of, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    drawn = await ended(company)
    assert await watch_recording(of, aud, drawn, "play") is None
    assert await inspect_recording(of, aud, drawn, Verdict.CONCERN, "read the payroll") is None
    await ended(company, wanted=False)
    bad = await ended(company, wanted=False)
    await record(of, RecordingFoundBad(bad, Condition.CUT, "it is shorter"))
    await company.open("eve", "dev-1", "app")
    links = (Link(LinkKind.SESSION, drawn), Link(LinkKind.CAUSED_BY, "eve"))
    draft = Draft("inc_1", "A key", "in a log", Severity.HIGH, None, None, "max", links)
    assert await open_incident(of, ada, draft) == "inc_1"
    assert await remind_owners(of) == 1
    assert await note_to_incident(of, company.actor("max"), "inc_1", None, "revoked", ()) is None
    assert await assign_incident(of, ada, "inc_1", Severity.LOW, "bob", None, "he knows") is None
    assert await close_incident(of, aud, "inc_1", "a debug log", "revoked", "no debug logs") is None
    assert await reopen_incident(of, ada, "inc_1", "used again") is None
    day = Instant(company.clock.now + 90 * DAY)
    published = PolicyPublished("access", 1, "Access", "d1", 9, "text/plain", "max", day, (), "ada", "first")
    await record(of, published, PolicyReminded("access", 1, "eve", 1), PolicyReminded("access", 1, "max", 1))
    await record(of, PolicyConfirmed("access", 1, "d1", "eve"), PolicyLookedThrough("access", 1, day, "max", "right"))
    await company.sign_in("ada")
    path = await Live(company, folder).draw(START, Instant(START + 6 * DAY), "ada")
    assert isinstance(path, Path), path
    company.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(watched(tmp_path_factory.mktemp("watched")))


def table(pack: bytes, name: str) -> list[dict[str, str]]:
    report = Forge(History(), pack).read_report(name)
    return [dict(zip(report["columns"], row["cells"], strict=True)) for row in report["rows"]]


def test_all_of_it_is_told_and_follows(pack: bytes, check: Check) -> None:
    sessions = table(pack, "inspections")
    assert [(each["drawn"], each["drawn_because"], each["verdict"]) for each in sessions] == [
        ("yes", "any", "concern"),
        ("no", "", ""),
        ("yes", "bad_recording", ""),
        ("", "", ""),
    ]
    first = sessions[0]
    assert (first["name"], first["inspected_by_name"], first["note"]) == (
        "Eve Example",
        "Aud Example",
        "read the payroll",
    )
    assert first["ended"] < first["due"]
    (incident,) = table(pack, "incidents")
    assert (incident["title"], incident["severity"], incident["owners"]) == ("A key", "high; low", "max; bob")
    assert (incident["notes"], incident["cause"], incident["lessons"]) == ("revoked", "a debug log", "no debug logs")
    assert (incident["closed_by_name"], incident["reopened_because"]) == ("Aud Example", "used again")
    assert "caused_by" in incident["links"]
    assert incident["reminded"]
    (policy,) = table(pack, "policies")
    assert (policy["told_to"], policy["confirmed_by"], policy["outstanding"]) == ("eve; max", "eve", "max")
    code, result = check(pack, *KEYS)
    assert code == 5, "one recording is bad, and nothing else is wrong"
    for name in ("inspections", "incidents", "policies"):
        assert any(f"report {name}: exactly one row for each" in each for each in result["proved"]), name


def _line(column: str, text: str) -> Callable[[Any], None]:
    def act(found: Any) -> None:
        found["rows"][0]["cells"][found["columns"].index(column)] = text

    return act


LIES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a session that was drawn was not": ("inspections", _line("drawn", "no")),
    "it was drawn for something else": ("inspections", _line("drawn_because", "any, gap")),
    "there was more time": ("inspections", _line("due", "2027-01-01T00:00:00.000000Z")),
    "somebody saw nothing": ("inspections", _line("verdict", "as_expected")),
    "a session is left out": ("inspections", lambda found: found["rows"].pop()),
    "another cause": ("incidents", _line("cause", "nobody knows")),
    "an incident is left out": ("incidents", lambda found: found["rows"].pop()),
    "somebody has read it who has not": ("policies", _line("outstanding", "")),
    "it was confirmed by another": ("policies", _line("confirmed_by", "max")),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_it_is_refused(name: str, pack: bytes, check: Check) -> None:
    report, act = LIES[name]
    forge = Forge(History(), pack)
    forge.report(report, act)
    code, result = check(forge.seal(), *KEYS)
    assert code not in (0, 5, 7), result["verdict"]
