"""Lawful, by the verifier and by the platform: of one history both say the same, for the rules are one text."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.host.nodes import NodeCertified
from onepam.domain.sessions.events import KillOrdered
from onepam.evidence.verifier import disclosed, lawful, verify
from onepam.evidence.verifier.contents import Contents
from onepam.kernel.clock import DAY
from tests.evidence.bare import as_logged, bare_pack
from tests.evidence.company import LOG, NODE, batches_of, certificate
from tests.evidence.conftest import Check
from tests.ledger.lawful.story import Story, binding

KEY = ("--log-key", LOG.vkey())


def good() -> Story:
    """Nothing is wrong."""
    told = Story().ready("ada", "bob", "eve", "max")
    told.approve(told.ask())
    told.change("chg_1", "ada", binding("bnd_mon_auditor", "auditor", "mon"))
    told.add(NodeCertified(NODE.name, NODE.vkey(), 7, certificate()))
    return told


def packed(told: Story, **other: Any) -> bytes:
    """The whole of it, by one node."""
    entries = as_logged(told.rows)
    return bare_pack(entries, batches_of(entries, len(entries)), **other)


def planted() -> Story:
    """One row that somebody slipped in."""
    told = good()
    told.add(binding("bnd_eve_admin", "administrator", "eve"))
    return told


def several() -> Story:
    """A change when nobody was signed in, and a session ended that was never open."""
    told = good()
    told.wait(2 * DAY)
    told.change("chg_2", "ada", binding("bnd_eve_admin", "administrator", "eve"))
    told.add(KillOrdered("ses_1", "eve", "why"))
    return told


STORIES: dict[str, tuple[Callable[[], Story], int]] = {
    "good": (good, 0),
    "planted": (planted, 1),
    "several": (several, 4),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_verifier_says_what_the_platform_says(name: str, check: Check) -> None:
    story, count = STORIES[name]
    told = story()
    code, result = check(packed(told), *KEY)
    found = told.judged()
    assert result["lawful"] == found.line()
    assert result["unlawful"] == [each.words() for each in found.findings]
    assert (code, found.found) == (6 if count else 3, count), result["unlawful"]
    assert any("of what is lawful: codes, keys" in each for each in result["not_proved"])


def test_6_comes_after_1_and_before_3(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(packed(planted()))
    command = [sys.executable, "-I", str(Path(verify.__file__)), str(path), *KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (6, "")
    *_, listed, history, lawful, _, verdict = done.stdout.splitlines()
    assert listed.startswith("  - entry ")
    assert "(binding.added): giving somebody a role: no change of the roles that was applied gave it" in listed
    assert history.startswith("history     consistent but not anchored")
    assert lawful.startswith("lawful      1 finding in ")
    assert "; NOT LAWFUL: 1 finding in " in verdict
    path.write_bytes(path.read_bytes()[:-1])
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, json.loads(done.stdout)["lawful"]) == (1, "not judged")


def test_an_entry_is_judged_as_it_was_stored(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release in which some kinds have newer fields reads them so in reports, and judges what was written."""

    def newer(body: dict[str, Any], payload: Any) -> tuple[dict[str, Any], Any]:
        return {"all": "new", **{key: body[key] for key in ("payload",) if key in body}}, payload

    told = good()
    steps = {(kind, 1): newer for kind in ("request.made", "request.approved", "grant.started", "binding.added")}
    assert {kind for kind, _ in steps} <= {row.kind for row in told.rows}
    monkeypatch.setattr(disclosed, "UPCASTS", {**disclosed.UPCASTS, **steps})
    pack = packed(told)
    code, result = check(pack, *KEY)
    assert (code, result["lawful"]) == (3, told.judged().line())
    assert result["lawful"].startswith("yes: ")

    def prove_newest(pack: Contents) -> Iterator[tuple[int, Any]]:
        pack.disclosed.read_newest()
        return ((index, pack.disclosed.body(index)) for index in pack.disclosed)

    monkeypatch.setattr(lawful, "prove_entries", prove_newest)
    assert check(pack, *KEY)[0] == 6, "it would be told if the newest form were judged"


def test_without_what_the_rules_read_only_the_chain_is_shown(check: Check) -> None:
    told = planted()
    withheld = [row.position for row in told.rows if row.kind == "binding.added"][-1:]
    code, result = check(packed(told, withheld=withheld), *KEY)
    assert code == 3
    assert result["lawful"] == "chain shown, endings not checked: the pack lacks 1 body that a rule reads"
    assert any(each.startswith("The pack lacks 1 body that a rule reads") for each in result["lacks"])
    assert result["unlawful"] == []
    _, result = check(packed(told, first=20), *KEY)
    assert result["lawful"] == "chain shown, endings not checked: the pack lacks the entries before 20"
