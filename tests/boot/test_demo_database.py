"""The tour's PostgreSQL: made once, found again, none where Debian's is not installed, and what its logins may do."""

import subprocess
from pathlib import Path

import pytest

from onepam.boot.demo import database
from onepam.boot.demo.database import DemoDatabase, start_database
from onepam.boot.demo.demo import access_text
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.file import read_access
from tests.tour.company import forget_database


def psql(found: DemoDatabase, login: str, statement: str) -> subprocess.CompletedProcess[str]:
    password = (found.folder / login).read_text().strip()
    words = f"host=127.0.0.1 port={found.port} user={login} password={password} dbname=orders sslmode=require"
    return subprocess.run(
        ["psql", "-X", "-A", "-t", words, "-c", statement], capture_output=True, text=True, timeout=60
    )


def test_it_is_made_once_and_its_boundary_is_what_a_login_may_do(tmp_path: Path) -> None:
    first = start_database(tmp_path / "database")
    assert first is not None
    try:
        assert "postgres" in _kinds(first)
        assert psql(first, "reporting", "SELECT count(*) FROM orders").stdout == "1000\n"
        assert "permission denied" in psql(first, "reporting", "DELETE FROM orders").stderr
        assert psql(first, "app", "DELETE FROM orders WHERE number = 1").returncode == 0
        made = "CREATE ROLE one LOGIN PASSWORD 'one' IN ROLE readers"
        assert psql(first, "pam_owner", made).returncode == 0
        (first.folder / "one").write_text("one")
        assert psql(first, "one", "SELECT count(*) FROM orders").stdout == "999\n"
    finally:
        first.stop()
    assert first.process.poll() is not None
    again = start_database(tmp_path / "database")
    assert again is not None
    try:
        assert again.pin == first.pin
        assert psql(again, "reporting", "SELECT count(*) FROM orders").stdout == "999\n"
    finally:
        again.stop()
        forget_database(tmp_path / "database")


def test_without_its_programs_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PROGRAMS", tmp_path)
    assert start_database(tmp_path / "database") is None
    assert not (tmp_path / "database").exists()
    assert "postgres" not in _kinds(None)


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDx3nPZM1SeFmqZ3Zr2ctmVPT2YhJQ0rsbmYb4rAr0lG"


def _kinds(found: DemoDatabase | None) -> list[str]:
    """Of the resources in the company's file."""
    read = read_access(access_text(2222, "root", HOST_KEY, found))
    assert read.problems == ()
    assert read.wanted is not None
    users = [each.session_users for each in read.wanted.resources.values() if each.session_users]
    assert users == ([SessionUsers("pam_owner", {"analysis": "readers"})] if found else [])
    return [each.kind.value for each in read.wanted.resources.values()]
