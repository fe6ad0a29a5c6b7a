"""Roles suggested from use: who has one manager and used the same, as lines that the file's reader takes."""

from dataclasses import replace

from onepam.domain.access.model import Action, ResourceKind
from onepam.domain.matrix.file import read_access
from onepam.domain.matrix.suggesting import Part, Suggestion, suggestions
from tests.domain.small_company import FILE, base

WEB = replace(base().resources["web"], labels={"env": "prod", "app": "shop"})
RESOURCES = {
    "web": WEB,
    "web-2": replace(WEB, resource="web-2"),
    "web-3": replace(WEB, resource="web-3"),
    "db": replace(WEB, resource="db", kind=ResourceKind.POSTGRES, labels={"env": "prod"}),
    "lone": replace(WEB, resource="lone", labels={"app": "lone"}),
}
BOTH = frozenset({("web", "app"), ("web-2", "app")})
TEAM = dict.fromkeys(("eve", "joe", "pat"), "max")
PART = Part("app", (Action.SHELL, Action.EXEC, Action.SFTP), WEB.labels, ("web", "web-2"), ("web-3",))


def test_three_of_one_manager_who_use_the_same_make_a_role() -> None:
    used = dict.fromkeys(TEAM, BOTH)
    assert suggestions(used, TEAM, RESOURCES, {}) == (Suggestion("max", ("eve", "joe", "pat"), (PART,)),)
    assert suggestions(used, {**TEAM, "pat": "ada"}, RESOURCES, {}) == ()
    assert suggestions(used, {**TEAM, "pat": None}, RESOURCES, {}) == ()
    assert suggestions({**used, "pat": BOTH | {("db", "app")}}, TEAM, RESOURCES, {}) == ()
    assert suggestions({**used, "pat": frozenset()}, TEAM, RESOURCES, {}) == ()


def test_what_a_role_gives_already_is_none_and_so_is_what_no_selector_is_of() -> None:
    used = dict.fromkeys(TEAM, BOTH)
    assert suggestions(used, TEAM, RESOURCES, {"dev": BOTH}) == ()
    apart = dict.fromkeys(TEAM, BOTH | {("lone", "app"), ("db", "app")})
    resources = {**RESOURCES, "lone": replace(RESOURCES["lone"], labels={"x": "y"})}
    assert suggestions(apart, TEAM, resources, {}) == ()


def test_what_is_gone_counts_for_nothing_and_kinds_stand_apart() -> None:
    used = dict.fromkeys(TEAM, BOTH | {("gone", "app"), ("db", "app")})
    (found,) = suggestions(used, TEAM, RESOURCES, {})
    assert [(each.actions, each.resources) for each in found.parts] == [
        ((Action.QUERY,), ("db",)),
        (PART.actions, PART.resources),
    ]


def test_its_lines_are_a_role_of_the_file() -> None:
    lines = Suggestion("max", ("eve", "joe", "pat"), (PART, replace(PART, beside=()))).lines("shop", "max@example.com")
    assert "part-1:  # opens 1 more" in lines
    read = read_access(FILE.replace("bindings:\n", lines + "bindings:\n"))
    assert read.problems == ()
    assert read.wanted is not None
    role = read.wanted.roles["shop"]
    assert [(each.where, each.actions, each.logins) for each in role.permissions] == [
        (WEB.labels, PART.actions, ("app",)),
        (WEB.labels, PART.actions, ("app",)),
    ]
