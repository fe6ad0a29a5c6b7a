"""The tests that foreign drivers bring along have the same results through the whole gateway as directly, test by test,
but for those that are listed with their reason."""

from collections import Counter

import pytest

from tests.conformance.databases.both_ways import BothWays
from tests.conformance.databases.suites import SUITES, compared, differences, unlike, without_parameters

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(4 * 3600)]

ROLES = """
SET password_encryption = md5; CREATE ROLE pgx_md5 LOGIN SUPERUSER PASSWORD 'secret';
SET password_encryption = 'scram-sha-256'; CREATE ROLE " tricky, ' } "" \\ test user " SUPERUSER;
"""


@pytest.mark.parametrize("name", SUITES)
async def test_the_same_as_directly(both: BothWays, name: str) -> None:
    suite = SUITES[name]
    both.server.sql(ROLES if name == "pgx" else "")
    person = await both.person()
    direct, through = await compared(both, suite, await both.through(person))
    known = {each.test: each.reason for each in differences() if each.suite == name}
    differ = unlike(direct, through)
    assert [
        (each, direct.get(each), through.get(each)) for each in differ if without_parameters(each) not in known
    ] == []
    sure = {test for test, reason in known.items() if not reason.startswith("luck:")}
    assert sure <= {without_parameters(each) for each in differ}, "no difference any more"
    came = Counter(through.values())
    assert came["pass"] + came["passed"] >= suite.least
