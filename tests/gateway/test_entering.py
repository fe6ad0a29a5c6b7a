"""What a client says of itself on its way in."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from onepam.console.signing_in.entering import agent
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway import entering
from onepam.gateway.entering import Admission, Proven
from onepam.kernel.errors import Refused

pytestmark = pytest.mark.anyio

SAID, KEPT = "psql\n\x1b[31m \x9b2J\u202e\0" + "x" * 300, "psql[31m 2J"


def admission(said: str = SAID, database: str = "") -> Admission[Any, Any]:
    """For a client of any protocol: PostgreSQL's `application_name`, SSH's version."""
    gateway = SimpleNamespace(node="node-1", random=bytes, ledger=None)
    place = SimpleNamespace(vouch=lambda: None)
    return Admission(cast(Any, gateway), cast(Any, None), cast(Any, place), "192.0.2.1", said, print, False, database)


def test_what_a_client_says_it_is_has_no_control_characters_in_an_entry() -> None:
    knock = admission()._knock(Proven("eve", EntryPoint.POSTGRES_TOKEN), "app", "db-1")
    assert knock.client == KEPT + "x" * (100 - len(KEPT))


def test_the_database_that_it_wants_stands_behind_what_it_says_it_is() -> None:
    for said, database, right in (
        ("psql", "orders", "psql, database orders"),
        ("psql", "a\n" + "b" * 200, f"psql, database a{'b' * 99}"),
        ("psql", "two words", 'psql, database "two words"'),
        ("psql, database prod", "test", 'client that says "psql, database prod", database test'),
    ):
        knock = admission(said, database)._knock(Proven("eve", EntryPoint.POSTGRES_TOKEN), "app", "db-1")
        assert knock.client == right


async def test_nor_has_what_it_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def refuse(*of: object) -> None:
        asked.append(of[4])

    monkeypatch.setattr(entering, "refuse_session", refuse)
    await admission().refuse(EntryPoint.SSH_CERTIFICATE, None, SAID, Refused("ssh.user", "No."))
    assert asked == [KEPT + "x" * (200 - len(KEPT))]


def test_nor_has_what_a_browser_says_it_is() -> None:
    visit = SimpleNamespace(request=SimpleNamespace(headers={"user-agent": SAID}))
    assert agent(cast(Any, visit)).startswith(KEPT + "xxx")
