"""`onepam roster` against a real gateway's API: a version from its plan to what it does, held, released, and judged."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.office import Office
from tests.cli.conftest import NewTerminal
from tests.cli.terminal import Terminal

_HEADER = "number,name,email,type,manager\n"


@pytest.fixture(scope="module")
def staff(office: Office) -> dict[str, str]:
    """People with an account, by name."""
    made = {name: office.join(*roles, name=name) for name, *roles in (("ada", "administrator"), ("aud", "auditor"))}
    return made | {name: office.join(name=name) for name in ("eve", "gus", "hal", "ida")}


@pytest.fixture
def roster(staff: dict[str, str], office: Office, tmp_path: Path) -> Callable[..., str]:
    """Writes a roster of everybody but those named, with rows besides."""

    def written(*but: str, more: str = "") -> str:
        listed = staff | {"founder": office.founder}
        rows = [
            f"{number},{name.title()} Example,{person[4:]}@example.com,employee,\n"
            for number, (name, person) in enumerate(listed.items(), 1)
            if name not in but
        ]
        path = tmp_path / "roster.csv"
        path.write_text(_HEADER + "".join(rows) + more)
        return str(path)

    return written


@pytest.fixture
def hers(staff: dict[str, str], terminal: NewTerminal) -> Terminal:
    return terminal().signed_in(staff["ada"])


def test_a_version_from_its_plan_to_who_left(
    staff: dict[str, str], roster: Callable[..., str], hers: Terminal, terminal: NewTerminal
) -> None:
    assert "There is no roster" in hers.run("roster", "reconcile").out
    assert hers.run("roster", "show").code == 0
    file = roster("gus", more="90,Noa New,noa@example.com,employee,\n")
    plan = hers.run("roster", "plan", file)
    assert plan.code == 0, plan.err
    assert "7 rows: 7 new, 0 changed, 0 gone." in plan.out
    assert "+ 90 Noa New noa@example.com" in plan.out
    digest = plan.out.split()[-1]
    assert hers.run("roster", "apply", file, "--digest", "0" * 64).code == 1
    taken = hers.run("roster", "apply", file, "--digest", digest)
    assert (taken.code, taken.out) == (0, "In force: 0 lost their access, 0 changed, 0 added.\n")
    assert "noa@example.com" in hers.run("roster", "ls").out

    found = hers.run("roster", "reconcile")
    assert staff["gus"] in next(line for line in found.out.splitlines() if "is on no roster" in line)
    assert "Noa New" in next(line for line in found.out.splitlines() if "without an account" in line)
    told = json.loads(hers.run("roster", "reconcile", "--json").out)
    assert {(each["kind"], each["person"]) for each in told["findings"]} == {
        ("no_entry", staff["gus"]),
        ("no_account", None),
    }
    before = json.loads(hers.run("roster", "reconcile", "--as-of", "2020-01-01T00:00:00Z", "--json").out)
    assert (before["taken"], before["findings"]) == (None, [])

    left = hers.run("roster", "apply", roster("gus", "hal"), "--yes")
    assert "1 of 7 lose their access: " in left.out
    assert "In force: 1 lost their access" in left.out
    then = terminal().signed_in(staff["aud"])
    assert "gus" in then.run("roster", "reconcile").out.lower()
    assert then.run("roster", "ls", "--as-of", told["taken"]["received"]).code == 0
    for words in (("plan", file), ("release", "0" * 64, "--yes"), ("rules", "--brake", "60"), ("source", "unset")):
        refused = then.run("roster", *words, "--json")
        assert (refused.code, json.loads(refused.err)["code"]) == (1, "right.missing"), words
    assert terminal().signed_in(staff["eve"]).run("roster", "reconcile").code == 1


def test_what_the_brake_holds_is_released_by_its_digest(roster: Callable[..., str], hers: Terminal) -> None:
    assert hers.run("roster", "apply", roster(), "--yes").code == 0
    file = roster("eve", "gus", "ida", "hal")
    leavers = hers.run("roster", "plan", file, "--json").json["leavers"]
    assert leavers >= 3
    held = hers.run("roster", "apply", file, "--yes")
    assert held.code == 1
    assert "The brake will hold it: " in held.out
    digest = held.out.rstrip().rsplit(maxsplit=1)[-1]
    assert digest in hers.run("roster", "show").out
    assert hers.run("roster", "release", digest, "--yes").code == 0
    taken = hers.run("roster", "apply", file, "--yes", "--json")
    assert (taken.code, taken.json["outcome"], taken.json["left"]) == (0, "taken", leavers)


def test_a_plan_lists_all_or_says_how_many_more(roster: Callable[..., str], hers: Terminal) -> None:
    new = [f"{number},New {number},new{number}@example.com,employee,\n" for number in range(1000, 2005)]
    whole = hers.run("roster", "plan", roster(more="".join(new[:300])))
    assert sum(line.startswith("+ ") and "New" in line for line in whole.out.splitlines()) == 300
    assert "not listed" not in whole.out
    cut = hers.run("roster", "plan", roster(more="".join(new)))
    listed = sum(line.startswith("+ ") and "@" in line for line in cut.out.splitlines())
    (added,) = re.findall(r"(\d+) new", cut.out.splitlines()[0])
    assert f"+ and {int(added) - listed} more, not listed" in cut.out


def test_a_file_is_refused_with_every_mistake(hers: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(_HEADER + "1,,nowhere,employee,\n")
    answer = hers.run("roster", "plan", str(file))
    assert answer.code == 1
    assert "email" in answer.err
    assert hers.usage("roster", "plan", str(tmp_path / "none.csv")) == 2
    (tmp_path / "large.csv").write_bytes(bytes(5 * 1024 * 1024 + 1))
    assert hers.usage("roster", "plan", str(tmp_path / "large.csv")) == 2


def test_how_versions_are_judged_is_shown_and_set_in_part(hers: Terminal) -> None:
    shown = hers.run("roster", "rules")
    assert "50 % of the accounts or rows" in shown.out
    assert "24 hours" in shown.out
    words = ("--brake", "65", "--column", "number=Personalnummer", "--column", "name=Mitarbeiter", "--json")
    assert hers.run("roster", "rules", *words).json == {
        "brake_percent": 65,
        "stale_hours": 24,
        "creates": False,
        "columns": {"name": "Mitarbeiter", "number": "Personalnummer"},
    }
    changed = hers.run("roster", "rules", "--creates", "--stale-hours", "48", "--column", "name=")
    assert "number is Personalnummer" in changed.out
    assert "get an account" in changed.out
    assert hers.run("roster", "rules", "--no-creates", "--column", "number=", "--json").json["stale_hours"] == 48
    unknown = hers.run("roster", "rules", "--column", "shoes=Schuhe", "--json")
    assert (unknown.code, json.loads(unknown.err)["code"]) == (1, "roster.columns")
    assert hers.usage("roster", "rules", "--brake", "91") == 2
