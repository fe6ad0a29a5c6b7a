"""A MySQL of its makers and its programs: what holds of MariaDB's, holds."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.databases import test_mysql_drivers, test_mysql_programs, test_mysql_suites
from tests.conformance.databases.mysql_newer import mysql
from tests.conformance.databases.mysql_ways import MysqlWays, mysql_ways

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(4 * 3600)]

test_a_driver_tells_the_same_as_directly = test_mysql_drivers.test_the_same_as_directly
test_a_drivers_own_tests = test_mysql_suites.test_the_same_as_directly
test_mysql_shows_the_same = test_mysql_programs.test_the_client_shows_the_same
test_a_dump_and_its_load = test_mysql_programs.test_a_dump_and_its_load
test_a_reader_dumps_under_guardrails = test_mysql_programs.test_a_reader_dumps_under_guardrails
test_a_file_of_the_clients_is_loaded = test_mysql_programs.test_a_file_of_the_clients_is_loaded_by_a_program_of_theirs


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    with mysql() as kind:
        async with mysql_ways(tmp_path_factory.mktemp("both"), kind) as found:
            yield found
