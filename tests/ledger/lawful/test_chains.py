"""A session that rests on more than one role."""

from dataclasses import replace

from onepam.domain.access.decision import Because
from onepam.domain.access.model import Action
from tests.ledger.lawful.story import DEV, binding, role_set
from tests.ledger.lawful.test_sessions import opened, ready

SHELL, FILES = replace(DEV, actions=(Action.SHELL,)), replace(DEV, actions=(Action.SFTP,))


def said(*actions: Action, both: bool) -> list[str]:
    """Of a session by the role shell, or by that and the role files."""
    told = ready()
    shown = told.rows[-1].time
    roles = [role_set("shell", [SHELL]), role_set("files", [FILES])]
    told.change("chg_1", "ada", *roles, *(binding(f"bnd_{each.role}", each.role, "eve") for each in roles))
    because = [Because(each.role, each.version, "dev", f"bnd_{each.role}") for each in roles]
    told.add(opened(told, shown=shown, because=because[0], also=tuple(because[1:] if both else ()), actions=actions))
    return [why for _, why in told.said()]


def test_it_allows_what_any_of_them_gives_and_no_more() -> None:
    more = "it allows more than the chain does"
    assert said(Action.SHELL, Action.SFTP, both=True) == []
    assert said(Action.SHELL, Action.SFTP, both=False) == [more]
    assert said(Action.SHELL, Action.EXEC, both=True) == [more]
