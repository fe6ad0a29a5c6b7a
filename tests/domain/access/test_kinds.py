"""Each kind of resource says what it is known by and what may be done on it."""

from dataclasses import replace

import pytest

from onepam.domain.access import decision
from onepam.domain.access.decision import Permitted
from onepam.domain.access.kinds import KINDS, Kind
from onepam.domain.access.model import Action, Mode, ResourceKind
from onepam.kernel.errors import Refused
from tests.domain.given import ENGINEER, GRANT, NOW, PROD, WEB, access


def test_every_kind_has_its_row_and_every_action_a_kind() -> None:
    assert KINDS.keys() == set(ResourceKind)
    assert {action for kind in KINDS.values() for action in kind.actions} == set(Action)
    for kind in KINDS.values():
        assert kind.pin
        assert kind.partial | kind.guarded | kind.beside <= set(kind.actions)


def test_only_what_there_is_on_such_a_resource() -> None:
    kind = Kind("certificate", (Action.SHELL, Action.SFTP), frozenset())
    assert kind.only((Action.SFTP, Action.EXEC, Action.SHELL)) == (Action.SFTP, Action.SHELL)
    assert kind.only((Action.EXEC,)) == ()


def test_what_stands_beside_another_action_gives_nothing_alone() -> None:
    database = KINDS[ResourceKind.POSTGRES]
    assert database.only((Action.UNMASKED,)) == ()
    assert database.only((Action.UNMASKED, Action.SHELL)) == ()
    assert database.only((Action.QUERY, Action.UNMASKED)) == (Action.QUERY, Action.UNMASKED)
    mysql = KINDS[ResourceKind.MYSQL]
    assert mysql.only((Action.LOCAL_FILES, Action.UNMASKED)) == ()
    assert mysql.only((Action.QUERY, Action.LOCAL_FILES)) == (Action.QUERY, Action.LOCAL_FILES)
    assert database.only((Action.QUERY, Action.LOCAL_FILES)) == (Action.QUERY,)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ((Action.SHELL,), (Action.SHELL,)),
        ((Action.SFTP, Action.EXEC), (Action.EXEC,)),
        ((Action.SHELL, Action.EXEC, Action.SFTP), (Action.SHELL, Action.EXEC)),
    ],
)
def test_a_permission_gives_of_its_actions_those_of_the_kind(
    there: tuple[Action, ...], found: tuple[Action, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision, "KINDS", {ResourceKind.SSH: Kind("host key", there, frozenset())})
    standing = replace(PROD, mode=Mode.STANDING)
    for facts in (access(grants=(GRANT,)), access(replace(ENGINEER, permissions=(standing,)))):
        permitted = decision.decide(facts, "root", NOW)
        assert isinstance(permitted, Permitted)
        assert permitted.actions == found


def test_nothing_is_dialled_that_is_known_by_nothing() -> None:
    refused = decision.decide(replace(access(grants=(GRANT,)), resource=replace(WEB, pins=())), "root", NOW)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.message) == ("resource.no_pin", "web-1 has no pinned host key.")
