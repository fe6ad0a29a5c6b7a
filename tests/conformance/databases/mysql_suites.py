"""The tests that drivers of MySQL bring with them, run against any server by its address."""

from collections.abc import Sequence
from urllib.parse import quote

from tests.conformance.databases.mysql_ways import DIST, DRIVERS, MysqlWay, MysqlWays
from tests.conformance.databases.suites import Results, Suite, gone, pytested

MODULE = "github.com/go-sql-driver/"
_NAMES = "dialect", "query", "types", "on_duplicate", "reflection", "for_update"
_REACHING = ["test/dialect/test_suite.py", *(f"test/dialect/mysql/test_{each}.py" for each in _NAMES)]
"""Those of SQLAlchemy's files in which most tests reach a server, and its suite for dialects of others."""


async def go_driver(both: MysqlWays, way: MysqlWay, only: Sequence[str]) -> Results:
    """All of its tests but one, which dials an address of the Internet and panics where there is none."""
    more = {
        "MYSQL_TEST_ADDR": f"localhost:{way.port}", "MYSQL_TEST_PROT": "tcp", "MYSQL_TEST_USER": way.user,
        "MYSQL_TEST_PASS": way.password, "MYSQL_TEST_DBNAME": way.database,
    }  # fmt: skip
    return await gone(both, way, DIST / "go-sql-driver", MODULE, only, more, "^TestConnectorReturnsTimeout$")


async def sqlalchemy(both: MysqlWays, way: MysqlWay, only: Sequence[str]) -> Results:
    """The dialect's own tests, by PyMySQL."""
    address = f"mysql+pymysql://{quote(way.user)}:{way.password}@localhost:{way.port}/{way.database}"
    options = ("--dburi", f"{address}?ssl_ca={way.root}&charset=utf8mb4")
    paths = only or _REACHING
    return await pytested(both, way, DIST / "sqlalchemy", paths, *options, python=DRIVERS)


_SCHEMAS = "".join(
    f"DROP DATABASE IF EXISTS {each}; CREATE DATABASE {each};" for each in ("test_schema", "test_schema_2")
)

SUITES = {
    each.name: each
    for each in (
        Suite("go-sql-driver", "", 70, go_driver),
        Suite("sqlalchemy-pymysql", _SCHEMAS, 330, sqlalchemy),
    )
}
