"""What holds before a real MariaDB holds before a MySQL of its makers: guardrails, masks, passwords that are not
recorded, bounds, files of the clients, KILL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conformance.databases.mysql_newer import mysql
from tests.protocols.mysql import (
    test_bounds,
    test_guarding,
    test_kept,
    test_masked_results,
    test_passwords,
    test_relay,
    test_uploading,
)
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.mysql.small import Small, running_door

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

for _room in test_bounds, test_guarding, test_kept, test_masked_results, test_passwords, test_relay, test_uploading:
    globals().update({name: each for name, each in vars(_room).items() if name[:1].islower() and name != "pytestmark"})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mysql() as kind, running_server(kind) as running:
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


async def test_a_duality_view_of_a_masked_column_cannot_be_used(
    small: Small, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives rows of tables as JSON, under names of its own."""
    server.sql(
        "USE app; CREATE JSON DUALITY VIEW papers AS SELECT JSON_DUALITY_OBJECT('_id': id, 'contact': email)"
        " FROM customers"
    )
    assert test_masked_results.SECRET in server.sql("SELECT * FROM app.papers")
    test_masked_results.permitted(monkeypatch)
    status, said, errors = await small.mariadb("SELECT * FROM papers", "app")
    assert (status, said) == (1, ""), errors
    assert "OnePAM" in errors
