"""The tests that drivers of MySQL bring along have the same results through the gateway as directly, test by test,
but for those that are listed with their reason."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from onepam.domain.access.model import Action
from tests.conformance.databases.mysql_suites import SUITES
from tests.conformance.databases.mysql_ways import MysqlWays, mysql_ways
from tests.conformance.databases.suites import compared, differences, unlike, without_parameters

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(4 * 3600)]


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    async with mysql_ways(tmp_path_factory.mktemp("both")) as found:
        yield found


@pytest.mark.parametrize("name", SUITES)
async def test_the_same_as_directly(both: MysqlWays, name: str) -> None:
    suite = SUITES[name]
    direct, through = await compared(both, suite, await both.through(await both.person(Action.LOCAL_FILES)))
    known = {each.test: each.reason for each in differences() if each.suite == name}
    differ = unlike(direct, through)
    assert [
        (each, direct.get(each), through.get(each)) for each in differ if without_parameters(each) not in known
    ] == []
    sure = {test for test, reason in known.items() if not reason.startswith("luck:")}
    assert sure <= {without_parameters(each) for each in differ}, "no difference any more"
    came = Counter(through.values())
    assert came["pass"] + came["passed"] >= suite.least
