"""MariaDB's own main suite, by its own `mariadb-test`: what it shows of each file, against any server by its address.

Files run that need nothing of their server but what it has: no option of its own, no restart, no other program. Those
that come as another user of the server's do not: through the gateway nobody has a token of such a one.

By hand: `python -m tests.conformance.databases.mysql_regression FOLDER` runs those that the folder does not tell of
yet, and writes there how each came out, with what was shown of it on either way where that differs.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onepam.domain.access.model import Action
from tests.conformance.databases.both_ways import LOGIN, PASSWORD
from tests.conformance.databases.mysql_ways import MysqlWay, MysqlWays, mysql_ways

DIST = Path(__file__).parents[3] / "var" / "mariadb-tests"
SECONDS = 300.0
"""How long one file may take. Nothing depends on it but that a run ends."""

_ELSE = re.compile(
    r"restart_mysqld|shutdown_server|shutdown_mysqld|start_mysqld|kill_mysqld|have_debug|wsrep|master-slave|rpl_"
    r"|\$MYSQL(?:_|D_|\b)|--?exec|\bexec |perl;|big_test|have_innodb_[0-9]+k|have_profiling|_safe_process"
    r"|\$MASTER_MYSOCK"
    r"|SET +(?:@@)?GLOBAL|@@global|flush|binlog|sleep|change_user|install +(?:plugin|soname)",
    re.IGNORECASE,
)
_BESIDE = ".opt", ".cnf", "-master.opt", "-slave.opt", ".combinations", ".sh"
_COMING = r"^[ \t]*(?:-- *)?connect *\(? *[^,()]*,"
_CONNECT = re.compile(
    rf"({_COMING} *(?:localhost|127\.0\.0\.1|%)? *), *root *(?:, *(?:''|\"\")? *)?(?=[,);]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_USER = re.compile(rf"{_COMING}[^,]*, *(?!root\b)[^,)\s]", re.IGNORECASE | re.MULTILINE)


def names() -> list[str]:
    """Of the files that run, in order. `MTR_EVERY` (a number) takes each so many-th of them."""
    found = []
    for file in sorted((DIST / "main").glob("*.test")):
        text = file.read_text("utf-8", "replace")
        others = _ELSE.search(text) or any(map(_OTHER_USER.search, (text, *_sourced(text))))
        if not others and not any(file.with_name(file.stem + each).exists() for each in _BESIDE):
            found.append(file.stem)
    return found[:: int(os.environ.get("MTR_EVERY", "1"))]


def _sourced(text: str) -> Iterator[str]:
    """The files that a text includes, and theirs."""
    for name in re.findall(r"^[ \t]*(?:--)?source +(include/[\w.-]+)", text, re.IGNORECASE | re.MULTILINE):
        if (DIST / name).exists():
            yield (found := (DIST / name).read_text("utf-8", "replace"))
            yield from _sourced(found)


def prepared(home: Path) -> None:
    """The suite as one's own copy, in which `root` without a password is whoever runs it."""
    shutil.copytree(DIST, home, symlinks=True)
    for file in (*home.glob("*/*.test"), *home.glob("*/*.inc")):
        text = file.read_bytes().decode("latin-1")
        file.write_bytes(_CONNECT.sub(r"\1,$WAY_USER,$WAY_PASSWORD", text).encode("latin-1"))


@dataclass(frozen=True, slots=True)
class Shown:
    """How a file ended, and what it showed, on each way; both once more where they differ, for many show what a planner
    guesses."""

    direct: tuple[int, bytes]
    through: tuple[int, bytes]
    again: tuple[int, bytes] | None = None
    anew: tuple[int, bytes] | None = None

    @property
    def unlike(self) -> bool:
        """Whether the gateway makes a difference: what differs between two runs on one way tells nothing."""
        return self.again == self.direct and self.direct not in (self.through, self.anew)

    @property
    def tells(self) -> bool:
        """Whether it tells anything."""
        return self.unlike or self.direct in (self.through, self.anew)


async def shown(both: MysqlWays, home: Path, through: MysqlWay, name: str) -> Shown:
    """What one file shows."""
    direct = await _one(both, home, both.direct, name)
    mine = await _one(both, home, through, name)
    if direct == mine:
        return Shown(direct, mine)
    again = await _one(both, home, both.direct, name)
    return Shown(direct, mine, again, await _one(both, home, through, name))


async def _one(both: MysqlWays, home: Path, way: MysqlWay, name: str) -> tuple[int, bytes]:
    await asyncio.to_thread(_clean, both)
    var = await asyncio.to_thread(_beside, both)
    environment = {
        **os.environ, **way.environment, "MYSQL_TEST_DIR": str(home), "MYSQLTEST_VARDIR": str(var), "LC_ALL": "C",
        "MYSQL_TMP_DIR": str(var / "tmp"), "MASTER_MYPORT": str(way.port), "DEFAULT_MASTER_PORT": str(way.port),
        "ENGINE": "InnoDB", "MYSQLD_DATADIR": "/nonexistent", "TZ": "GMT-3",
        "LD_LIBRARY_PATH": str(DIST),
    }  # fmt: skip
    command = way.program(str(DIST / "mariadb-test"), "--database=test", "--silent", f"--basedir={home}")
    process = await asyncio.create_subprocess_exec(
        *command, f"--test-file={home}/main/{name}.test", f"--tmpdir={var}/tmp", f"--logdir={var}", "--tail-lines=0",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=environment, cwd=home,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            said = (await process.communicate())[0]
    except TimeoutError:
        process.kill()
        said = (await process.communicate())[0] + b"\n(no end)"
    for own, word in ((way.user, LOGIN), (way.password, PASSWORD)):
        said = said.replace(own.encode(), word.encode())
    return process.returncode or 0, re.sub(rb"(?<!\w)%d(?!\w)" % way.port, b"(port)", said)


def _beside(both: MysqlWays) -> Path:
    """What the suite wants beside its server: files to load, a place to write to, and what its own runner has there."""
    var = both.server.folder
    if not (var / "std_data").exists():
        shutil.copytree(DIST / "std_data", var / "std_data")
        (var / "tmp").mkdir()
        for each in (var / "tmp", var / "std_data", *(var / "std_data").rglob("*")):
            shutil.chown(each, var.stat().st_uid)
        both.server.sql(
            "CREATE DATABASE mtr; CREATE PROCEDURE mtr.add_suppression(pattern VARCHAR(255)) BEGIN END;"
            "SET GLOBAL local_infile = 1"
        )
    return var


_KEPT = "'mysql', 'mtr', 'information_schema', 'performance_schema', 'sys', 'suite'"


def _clean(both: MysqlWays) -> None:
    """What another file left behind."""
    server, drops = both.server, ""
    for left in (server.folder / "tmp").glob("*"):
        left.unlink() if left.is_file() else shutil.rmtree(left)
    found = server.sql(f"SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ({_KEPT})")
    for each in found.splitlines():
        drop = f"DROP DATABASE `{each.replace('`', '``')}`;"
        try:
            server.sql(drop)
        except AssertionError:  # files stand there that are of no table
            shutil.rmtree(server.folder / "data" / each)
            server.sql("FLUSH TABLES")
    users = server.sql(
        "SELECT QUOTE(user), QUOTE(host), is_role FROM mysql.user WHERE user NOT IN"
        " ('root', 'mysql', 'mariadb.sys', 'app', 'edder', 'suite', 'PUBLIC')"
    )
    for line in users.splitlines():
        user, host, role = line.split("\t")
        drops += f"DROP ROLE {user};" if role == "Y" else f"DROP USER {user}@{host};"
    server.sql(f"{drops}CREATE DATABASE test;")


async def _by_hand(told: Path) -> None:
    """One file after the other; what was told stays told."""
    told.mkdir(exist_ok=True)
    asked = sys.argv[2:] or [each for each in names() if not list(told.glob(f"{each}.*"))]
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        home = Path(folder, "mysql-test")
        prepared(home)
        async with mysql_ways(Path(folder)) as both:
            way = await both.through(await both.person(Action.LOCAL_FILES))
            for name in asked:
                found = await shown(both, home, way, name)
                kind = "unlike" if found.unlike else "same" if found.tells else "luck"
                for which in ("direct", "through", "again", "anew") if kind != "same" else ("direct",):
                    status, said = getattr(found, which)
                    (told / f"{name}.{kind}.{which}").write_bytes(b"%d\n" % status + said)


if __name__ == "__main__":
    asyncio.run(_by_hand(Path(sys.argv[1])))
