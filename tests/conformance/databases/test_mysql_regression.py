"""MariaDB's own main suite shows the same through the whole gateway as directly, file by file, but for what is refused
on purpose; and the recordings of all its sessions are whole."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.access.model import Action
from onepam.domain.sessions.events import SessionClosed
from tests.conformance.databases.mysql_regression import Shown, names, prepared, shown
from tests.conformance.databases.mysql_ways import MysqlWays, mysql_ways
from tests.conformance.databases.suites import differences

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(4 * 3600)]

PASSED, SKIPPED = 0, 62
"""How `mariadb-test` ends."""


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    async with mysql_ways(tmp_path_factory.mktemp("both")) as found:
        yield found


async def test_the_same_as_directly(both: MysqlWays, tmp_path: Path) -> None:
    home, which = tmp_path / "mysql-test", names()
    prepared(home)
    assert which
    person = await both.person(Action.LOCAL_FILES)
    way = await both.through(person)
    found = {name: await shown(both, home, way, name) for name in which}
    report(tmp_path, found)
    known = {each.test: each.reason for each in differences() if each.suite == "mariadb" and each.test in which}
    unlike = {name for name, each in found.items() if each.unlike}
    assert unlike <= known.keys()
    assert {test for test, reason in known.items() if not reason.startswith("luck:")} <= unlike, (
        "no difference any more"
    )
    ends = (await both.ends(person)).values()
    assert len(ends) >= len(which)
    assert [each for each in ends if not isinstance(each, SessionClosed) or not each.verified] == []
    came = Counter(each.through[0] for each in found.values())
    assert came[PASSED] > len(which) * 0.8, came


def report(folder: Path, found: dict[str, Shown]) -> None:
    """What differs, where it is looked for."""
    for name, each in found.items():
        if each.unlike:
            for way, (status, said) in (("direct", each.direct), ("through", each.through)):
                (folder / f"{name}.{way}").write_bytes(b"%d\n" % status + said)
