"""A MySQL of its makers, in the place of MariaDB (scripts/conformance/install-mysql-newer)."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.protocols.mysql.server import Server
from tests.protocols.postgres.server import PASSWORD

DIST = Path(__file__).parents[3] / "var" / "mysql-newer"


_SMALL = "CREATE VIEW `{{0}}`.seq_1_to_{0} AS SELECT n AS seq FROM app.numbers WHERE n BETWEEN 1 AND {0};"
_LARGE = (
    "CREATE VIEW `{0}`.seq_1_to_100000000 AS SELECT 1 + a.n + b.n * 10000 AS seq FROM app.numbers a, app.numbers b"
    " WHERE a.n < 10000 AND b.n < 10000;"
)


class Mysql(Server):
    """Its logins come by caching_sha2_password, and by nothing else."""

    edder = f"IDENTIFIED BY '{PASSWORD}'"
    claimed = "9.7.0"
    numbers = "".join(map(_SMALL.format, (1000, 3000, 5000, 20_000, 50_000))) + _LARGE
    modes = ("ANSI", "TRADITIONAL,ANSI")
    everything = (
        "; SELECT * FROM mysql.user;"
        " SELECT * FROM performance_schema.global_variables WHERE variable_name NOT LIKE '%gtid%'"
    )

    def start(self) -> None:
        super().start()
        tens = " UNION ALL ".join(f"SELECT {each} AS n" for each in range(10))
        digits = ", ".join(f"tens d{each}" for each in range(5))
        self.sql(
            f"CREATE TABLE app.numbers (n INT PRIMARY KEY); INSERT INTO app.numbers WITH tens AS ({tens})"
            f" SELECT {' + '.join(f'd{each}.n * {10**each}' for each in range(5))} FROM {digits};"
            f" {self.numbers.format('app')}"
        )

    def making(self) -> list[str]:
        return [str(self.program), "--no-defaults", "--initialize-insecure", *self.more]


@contextmanager
def mysql() -> Iterator[type[Server]]:
    """What makes such servers, as `running_server` takes it: its files are where its user may read."""
    with tempfile.TemporaryDirectory(prefix="mysql-", dir="/tmp") as copied:
        home = Path(copied, "mysql")
        Path(copied).chmod(0o755)
        shutil.copytree(DIST, home, symlinks=True)
        words = {"--basedir": "usr", "--lc-messages-dir": "usr/share/mysql", "--plugin-dir": "usr/lib/mysql/plugin"}
        files = tuple(f"{option}={home / path}" for option, path in words.items())
        names = {"mariadb": "mysql", "mysqldump": "mysqldump", "mariadb-import": "mysqlimport"}
        own = {
            "programs": {name: home / "bin" / own for name, own in names.items()},
            "program": home / "bin" / "mysqld", "client": home / "bin" / "mysql",
            "admin": home / "bin" / "mysqladmin",
            "more": (*files, f"--character-sets-dir={home}/usr/share/mysql/charsets", "--mysqlx=OFF", "--skip-log-bin",
                     "--secure-file-priv=", "--local-infile=ON"),
        }  # fmt: skip
        yield type("Mysql", (Mysql,), own)
