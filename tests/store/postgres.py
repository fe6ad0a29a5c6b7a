"""A PostgreSQL of the test's own, with the product's tables: what its statements are prepared on."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from onepam.store.engine.views import EVIDENCE_VIEWS
from onepam.store.migrations import migrations
from onepam.store.project import STATE_TABLES

TYPES = {"INTEGER": "bigint", "BLOB": "bytea", "TEXT": "text"}
"""SQLite's types in our tables, and PostgreSQL's for them. Booleans are 0 and 1 in both."""


FUNCTIONS = Path(__file__).with_name("postgres_functions.sql")

BODY = re.compile(r"CAST\(((?:\w+\.)?(?:body|data)) AS TEXT\)")
"""The text of bytes: SQLite casts, PostgreSQL's cast would give hexadecimal."""


def schema(more: Sequence[str] = ()) -> list[str]:
    """The statements that make functions, our tables, `more` tables in SQLite's words, and the views."""
    tables = [*(step.sql for step in migrations()), *(table.schema() for table in STATE_TABLES), *more]
    typed = [re.sub(r"\b(INTEGER|BLOB|TEXT)\b", lambda each: TYPES[each[1]], text) for text in tables]
    views = in_its_words(EVIDENCE_VIEWS.replace("CREATE VIEW IF NOT EXISTS", "CREATE VIEW"))
    functions = re.split(r";\n(?=CREATE|$)", FUNCTIONS.read_text("utf-8"))
    return [each for each in (*functions, *re.split(r";\n", ";\n".join([*typed, views]))) if each.strip()]


def in_its_words(sql: str) -> str:
    """The statement as PostgreSQL takes it: `:name`, `?` and `?3` outside of strings are `$n`, bytes are decoded."""
    sql = BODY.sub(r"convert_from(\1, 'UTF8')", sql)
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if (text := found[0])[0] not in ":?":
            return text
        name = text if text != "?" else f"?{len(names) + 1}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"'[^']*'|--[^\n]*|:[a-z_]+|\?\d*", place, sql)


class Postgres:
    """A running server without a network, and one database in it."""

    def __init__(self, folder: Path, programs: Path, run_as: Sequence[str]) -> None:
        self._folder, self._programs, self._run_as = folder, programs, run_as

    def errors(self, statements: Sequence[str]) -> list[str]:
        """What the server says of each, one after the other: its error in one line, or nothing."""
        script = "".join(f"\\warn @{number}\n{each};\n" for number, each in enumerate(statements))
        said = self._psql(script)[1]
        parts = re.split(r"^@(\d+)\n", said, flags=re.MULTILINE)
        found = {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}
        assert sorted(found) == list(range(len(statements))), said[-2000:]
        return [_error(found[number]) for number in range(len(statements))]

    def answer(self, query: str) -> str:
        """The one value of a query, as text; nothing for NULL."""
        answer, errors = self._psql(query + ";", "-A", "-t")
        assert not errors, errors
        return answer.removesuffix("\n")

    def _psql(self, script: str, *options: str) -> tuple[str, str]:
        return self.run("psql", "-X", "-q", *options, "-h", str(self._folder), "-d", "postgres", stdin=script)

    def run(self, program: str, *arguments: str, stdin: str = "") -> tuple[str, str]:
        """Runs one of its programs, and gives what it said on standard output and standard error."""
        done = subprocess.run(
            [*self._run_as, str(self._programs / program), *arguments],
            input=stdin, cwd="/", capture_output=True, text=True, timeout=240, check=False,
            env={**os.environ, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "120"},
        )  # fmt: skip
        if done.returncode not in (0, 3):
            raise AssertionError(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server of its own, from Debian's package `postgresql`; as root it runs as the package's user."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has 107 characters at most
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    run_as: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        run_as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    server, data = Postgres(folder, programs, run_as), str(folder / "data")
    try:
        server.run("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        server.run("pg_ctl", "-D", data, "-w", "-t", "120", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-w", "-t", "120", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _error(said: str) -> str:
    found = re.search(r"ERROR:  (.*)", said)
    return found[1] if found else ""
