"""Every way in at an instant, from entries alone: each fact that gives or takes one."""

from typing import Any

import pytest

from onepam.evidence.verifier import ways
from onepam.evidence.verifier.ways import OF_WAYS, TooMany, WayIn, WaysIn
from onepam.kernel.clock import FOREVER

NOW = 1_000_000
OPERATE = {"name": "operate", "mode": "standing", "actions": ["shell", "sftp"], "where": {"team": "a"}, "logins": ["*"]}
REPAIR = {
    "name": "repair", "mode": "request", "actions": ["shell"], "where": {"team": "a"}, "logins": ["root"],
    "administrative": True,
}  # fmt: skip
Told = list[tuple[str, dict[str, Any]]]


def added(person: str, ends: int | None = None) -> tuple[str, dict[str, Any]]:
    return "person.added", {"person": person, "ends": ends}


def bound(subject: str, kind: str = "person", ends: int | None = None) -> tuple[str, dict[str, Any]]:
    body = {"binding": f"bnd_{subject}", "role": "ops", "subject": subject, "subject_kind": kind, "ends": ends}
    return "binding.added", body


def placed(name: str = "web-1", **more: Any) -> tuple[str, dict[str, Any]]:
    body = {"resource": name, "labels": {"team": "a"}, "logins": ["app", "root"], "pins": ["key"], **more}
    return "resource.set", body


def granted(starts: int = 0, ends: int = NOW + 1, **more: Any) -> tuple[str, dict[str, Any]]:
    asked = {"person": "eve", "resource": "web-1", "login": "root", "permission": "repair", "actions": ["shell"]}
    body = {"grant": "gra_1", "binding": "bnd_eve", "substance": {**asked, **more}, "starts": starts, "ends": ends}
    return "grant.started", body


ROLE = ("role.set", {"role": "ops", "permissions": [OPERATE, REPAIR]})
MEMBER = {"group": "team", "person": "eve", "source": "file"}
EVE: Told = [added("eve"), ROLE, placed(), bound("eve")]
APP = ("eve", "web-1", "app", "standing", "operate", "shell, sftp", "no", "", "ops", "bnd_eve", "")
ROOT = (*APP[:2], "root", *APP[3:])
ASKED = ("eve", "web-1", "root", "request", "repair", "shell", "yes", "", "ops", "bnd_eve", "")
ALL = [APP, ASKED, ROOT]


def found(*told: tuple[str, dict[str, Any]]) -> list[WayIn]:
    all_of_it = WaysIn()
    for kind, body in told:
        assert kind in OF_WAYS
        all_of_it.take(kind, body)
    return sorted(way for way, often in all_of_it.at(NOW).items() for _ in range(often))


def until(text: str, ways_in: list[Any] = ALL) -> list[WayIn]:
    return [(*each[:7], text, *each[8:]) for each in ways_in]


def by_group(ways_in: list[Any]) -> list[WayIn]:
    return [(*each[:9], "bnd_team", "team") for each in ways_in]


END = "1970-01-01T00:00:01.000001Z"
PRODUCTION = {"team": "a", "env": "prod"}


@pytest.mark.parametrize(
    ("told", "ways_in"),
    [
        ([], ALL),
        ([("person.disabled", {"person": "eve"})], []),
        ([("person.disabled", {"person": "eve"}), ("person.enabled", {"person": "eve"})], ALL),
        ([("person.disabled", {"person": "eve"}), added("eve")], ALL),
        ([("person.changed", {"person": "eve", "ends": NOW})], []),
        ([("person.changed", {"person": "eve", "ends": NOW + 1})], until(END)),
        ([("person.changed", {"person": "bob", "ends": None}), bound("bob")], ALL),
        ([("directory.person_held", {"person": "eve"})], []),
        ([("directory.person_held", {"person": "eve"}), ("directory.person_decided", {"person": "eve"})], ALL),
        (
            [(f"{kind}", {"person": "eve"}) for kind in ("directory.person_held", "person.disabled", "person.enabled")],
            ALL,
        ),
        ([bound("eve", ends=NOW)], []),
        ([bound("eve", ends=NOW + 1)], until(END)),
        ([bound("eve", ends=FOREVER)], ALL),
        ([("binding.ended", {"binding": "bnd_eve"})], []),
        ([("role.removed", {"role": "ops"})], []),
        ([("role.set", {"role": "ops", "permissions": [{**OPERATE, "where": {}}]})], []),
        ([("role.set", {"role": "ops", "permissions": [{**OPERATE, "actions": []}]})], []),
        ([("role.set", {"role": "ops", "permissions": [{**OPERATE, "logins": ["app"]}]})], [APP]),
        ([("resource.removed", {"resource": "web-1"})], []),
        ([placed(pins=[])], []),
        ([placed(labels={"team": "b"})], []),
        ([placed(labels=PRODUCTION, logins=["app"])], [(*APP[:6], "yes", *APP[7:])]),
        ([bound("team", "group")], ALL),
        ([("binding.ended", {"binding": "bnd_eve"}), bound("team", "group"), ("group.member_added", MEMBER)],
         by_group(ALL)),
        ([bound("team", "group"), ("group.member_added", MEMBER), ("group.member_added", {**MEMBER, "source": "two"})],
         sorted([*ALL, *by_group(ALL), *by_group(ALL)])),
        ([bound("team", "group"), ("group.member_added", MEMBER), ("group.member_removed", MEMBER)], ALL),
        ([granted()], sorted([*ALL, (*ASKED[:3], "granted", *ASKED[4:7], END, *ASKED[8:])])),
        ([granted(), ("grant.ended", {"grant": "gra_1"})], ALL),
        ([granted(), ("grant.expired", {"grant": "gra_1"})], ALL),
        ([granted(), ("grant.first_used", {"grant": "gra_1", "ends": NOW})], ALL),
        ([("grant.first_used", {"grant": "gra_1", "ends": NOW})], ALL),
        ([granted(starts=NOW + 1)], ALL),
        ([granted(ends=NOW)], ALL),
        ([granted(actions=["sftp"])], ALL),
        ([granted(login="app")], ALL),
        ([granted(permission="operate")], ALL),
    ],
)  # fmt: skip
def test_what_gives_and_takes_a_way_in(told: Told, ways_in: list[WayIn]) -> None:
    assert found(*EVE, *told) == sorted(ways_in)


def test_more_than_a_report_holds_is_not_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "MOST_WAYS", 3)
    assert found(*EVE) == ALL
    with pytest.raises(TooMany):
        found(*EVE, placed("web-2"))
