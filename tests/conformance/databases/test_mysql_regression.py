"""MariaDB's own main suite shows the same through the whole gateway as directly, file by file; and the journals have
each of their sessions whole."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.databases.mysql_regression import names, prepared, shown
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
    direct = await shown(both, home, both.direct, which)
    through = await shown(both, home, await both.through(await both.person()), which)
    unlike = [name for name in which if direct[name] != through[name]]
    again = await shown(both, home, both.direct, unlike)  # what differs between two runs directly tells nothing
    unlike = [name for name in unlike if direct[name] == again[name]]
    report(home, which, direct, through, unlike)
    known = {each.test for each in differences() if each.suite == "mariadb"}
    assert set(unlike) == known & set(which)
    came = Counter(status for status, _ in through.values())
    assert came[PASSED] > len(which) / 2


def report(
    home: Path,
    which: list[str],
    direct: dict[str, tuple[int, bytes]],
    through: dict[str, tuple[int, bytes]],
    unlike: list[str],
) -> None:
    """What differs, where it is looked for."""
    for name in unlike:
        for way, said in (("direct", direct[name]), ("through", through[name])):
            (home.parent / f"{name}.{way}").write_bytes(b"%d\n" % said[0] + said[1])
    counts = [Counter(status for status, _ in each.values()) for each in (direct, through)]
    (home.parent / "report").write_text(f"{len(which)} {counts} {unlike}\n")
