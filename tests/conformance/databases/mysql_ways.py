"""One MariaDB, reached directly and through a whole gateway, as `both_ways` does it for PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from onepam.domain.access.model import ResourceKind
from tests.conformance.databases.both_ways import LOGIN, PASSWORD, TARGET, Whole, gateway_before
from tests.gateway_fixture import Person
from tests.protocols.mysql.server import Server, running_server

DIST = Path(__file__).parents[3] / "var" / "mysql-drivers"
DRIVERS = DIST / "venv" / "bin" / "python"
"""Python with the foreign drivers (scripts/conformance/install-mysql-drivers)."""

DATABASE = "suite"


@dataclass(frozen=True, slots=True)
class MysqlWay:
    """How a client connects; there are no variables that all clients read, so these are ours."""

    port: int
    user: str
    password: str
    root: Path
    database: str = DATABASE

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WAY_HOST": "localhost", "WAY_PORT": str(self.port), "WAY_USER": self.user, "WAY_PASSWORD": self.password,
            "WAY_DATABASE": self.database, "WAY_ROOT": str(self.root), "MYSQL_PWD": self.password,
        }  # fmt: skip

    def program(self, name: str, *more: str) -> tuple[str, ...]:
        """How a program of MariaDB's is called."""
        return (
            name, "--no-defaults", "--host=localhost", "--protocol=tcp", f"--port={self.port}", f"--user={self.user}",
            f"--ssl-ca={self.root}", "--ssl-verify-server-cert", *more,
        )  # fmt: skip

    def mysql_program(self, name: str, *more: str) -> tuple[str, ...]:
        """How a program of MySQL's is called."""
        return (
            name, "--no-defaults", "--host=localhost", "--protocol=tcp", f"--port={self.port}", f"--user={self.user}",
            f"--ssl-ca={self.root}", "--ssl-mode=VERIFY_IDENTITY", *more,
        )  # fmt: skip


@dataclass
class MysqlWays(Whole):
    """With the server."""

    server: Server

    @property
    def direct(self) -> MysqlWay:
        root = self.folder / "server-root.pem"
        root.write_bytes(self.server.authority.certificate)
        return MysqlWay(self.server.port, LOGIN, PASSWORD, root)

    async def through(self, person: Person) -> MysqlWay:
        """The way of a person by a new token."""
        return MysqlWay(self.port, f"{LOGIN}@{TARGET}", await self.token(person), self.root())

    def fresh(self, setup: str = "", database: str = DATABASE) -> None:
        """An empty database in the place of the last one."""
        numbers = self.server.numbers.format(database)
        self.server.sql(f"DROP DATABASE IF EXISTS `{database}`; CREATE DATABASE `{database}`; {numbers} {setup}")

    def program(self, way: MysqlWay, name: str, *more: str) -> tuple[str, ...]:
        """How a program of the server's makers is called, by the name that it has at MariaDB."""
        own = self.server.programs.get(name)
        return way.program(name, *more) if own is None else way.mysql_program(str(own), *more)

    @property
    def resident(self) -> int:
        """The most memory in bytes that the gateway's process has had."""
        lines = Path(f"/proc/{self.process.popen.pid}/status").read_text("ascii").splitlines()
        (line,) = [each for each in lines if each.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024


@asynccontextmanager
async def mysql_ways(folder: Path, kind: type[Server] = Server) -> AsyncIterator[MysqlWays]:
    """Both, until what is within has ended."""
    with running_server(kind) as server:
        server.sql(
            f"CREATE USER {LOGIN} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {LOGIN} WITH GRANT OPTION;"
            "SET GLOBAL max_connections = 1500"
        )
        more = {"mysql_version": server.claimed} if server.claimed else {}
        async with gateway_before(folder, ResourceKind.MYSQL, server.port, server.shown.pin, **more) as found:
            both = MysqlWays(found.gateway, found.process, found.port, folder, server)
            both.fresh()
            yield both


def node() -> str:
    """The program that runs what is in JavaScript."""
    return (DIST / ".node").read_text("utf-8").strip()
