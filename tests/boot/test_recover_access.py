"""`onepam recover-access`: nobody is locked out for ever, and nobody gets in by it unnoticed."""

import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onepam.app.host.announced import cancel_announced
from onepam.app.people.add_person import add_person
from onepam.app.ports import Reader
from onepam.boot.config import Config
from onepam.boot.on_ledger import on_ledger
from onepam.domain.access.authority import Actor
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonDisabled, PersonKind
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved, SignedIn, SignInKind
from onepam.identity.tokens import token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.secret import Secret
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.rebuild import compare
from onepam.store.read.announced import open_announcements
from onepam.store.read.proofs_of_sign_in import enrolment_person
from tests.boot.test_recovery_key import as_a_user, done_as_root, founded, key_in, kinds, of_roots
from tests.boot.test_setup import ADMINS
from tests.company import record
from tests.forked import onepam


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def recover(data: Path, who: str, *more: str, key: str = "") -> subprocess.CompletedProcess[str]:
    words = ("recover-access", who, "--because", "both telephones are gone", "--data", str(data), *more)
    return onepam(*words, typed=f"{key}\n")


def ids(data: Path) -> dict[str, str]:
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        return dict(db.execute("SELECT email, person FROM person"))


def recorded(data: Path, *events: object) -> None:
    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        await record(ledger, *events)

    on_ledger(Config(data), work)


def locked_out(data: Path) -> None:
    """A directory, or a mistake, has ended both administrators."""
    recorded(
        data,
        *(FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None) for who in ids(data).values()),
        *(FactorRemoved(f"fac_{who}", who, "person.disabled", None) for who in ids(data).values()),
        *(PersonDisabled(who, None, "deactivated", "scim:okta") for who in ids(data).values()),
    )


def asked(data: Path, read: Callable[..., Any], *values: object) -> Any:
    found: list[Any] = []

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        found.append(await reader(read, None, *values))

    on_ledger(Config(data), work)
    return found[0]


def link_in(told: str) -> str:
    return str(re.findall(r"/enrol/(enr_\S+)", told)[0])


def serves(data: Path, token: str) -> str | None:
    """Whose link it is now."""
    found = asked(data, enrolment_person, token_digest(Secret(token.encode())).hex())
    return str(found) if found else None


def test_with_the_recovery_key_somebody_gets_in_at_once_and_the_key_is_spent(data: Path) -> None:
    key = key_in(founded(data))
    locked_out(data)
    assert recover(data, "ada@example.com", key="aaaa-" * 8).returncode == 1
    done = recover(data, "ADA@example.com", key=key)
    assert done.returncode == 0, done.stderr
    ada = ids(data)["ada@example.com"]
    assert serves(data, link_in(done.stdout)) == ada
    assert {"access.recovered", "person.enabled", "enrolment.opened"} <= set(kinds(data)[-9:])
    assert kinds(data)[-1] == "recovery_key.renewed"
    assert recover(data, "ben@example.com", key=key).returncode == 1, "one use"
    assert recover(data, "ben@example.com", key=key_in(done.stdout)).returncode == 0
    assert compare(data / "ledger.db") == []


def test_without_it_after_a_day_in_which_nobody_cancelled(data: Path) -> None:
    founded(data)
    locked_out(data)
    first = recover(data, "ada@example.com", "--no-with-key")
    assert first.returncode == 0, first.stderr
    assert "Every administrator sees it and may cancel it" in first.stdout
    assert "/enrol/" not in first.stdout
    again = recover(data, "ada@example.com", "--no-with-key")
    assert again.returncode == 1
    assert "nobody may carry it out before" in again.stderr
    assert kinds(data)[-1] == "access.recovery_announced"


def test_any_living_administrator_cancels(data: Path) -> None:
    founded(data)
    recover(data, "ada@example.com", "--no-with-key")
    ben = ids(data)["ben@example.com"]

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        (announced,) = await reader(open_announcements, None)
        now = announced.due
        signed_in = SignedIn(
            "sgn_1", ben, SignInKind.CONSOLE, (FactorKind.PASSKEY,), now, Instant(now + HOUR), None, token_digest="x"
        )
        await record(ledger, signed_in)
        assert await cancel_announced(ledger, Actor(ben, "sgn_1"), announced.announcement) is None
        assert await reader(open_announcements, None) == []

    on_ledger(Config(data), work)
    assert kinds(data)[-1] == "access.recovery_cancelled"


def test_who_administers_no_more_is_given_the_smallest_role_that_does(data: Path) -> None:
    """Only one administrator is left: a second one is let in, and then two can go on."""
    key = key_in(founded(data))

    async def work(ledger: SqliteLedger, reader: Reader) -> None:
        known = Attributes("Cyd Clerk", "cyd@example.com")
        assert await add_person(ledger, None, "per_cyd", PersonKind.EMPLOYEE, known, "hired") is None

    on_ledger(Config(data), work)
    done = recover(data, "per_cyd", key=key)
    assert done.returncode == 0, done.stderr
    assert "binding.added" in kinds(data)[-4:]
    assert serves(data, link_in(done.stdout)) == "per_cyd"


def test_nobody_unknown(data: Path) -> None:
    key = key_in(founded(data))
    done = recover(data, "mal@example.com", key=key)
    assert done.returncode == 1
    assert "Nobody has this address." in done.stderr


def test_where_only_root_writes_the_digest_somebody_gets_in_all_the_same(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "onepam.toml"
    on = ("--because", "both telephones are gone", "--data", str(data), "--config", str(config))
    with of_roots(data, config) as file:
        told = as_a_user("setup", *ADMINS, *on[2:]).stdout
        done_as_root(told, file)
        done = as_a_user("recover-access", "ada@example.com", *on, typed=f"{key_in(told)}\n")
        assert done.returncode == 0, done.stderr
        assert serves(data, link_in(done.stdout)) == ids(data)["ada@example.com"]
        done_as_root(done.stdout, file)
        new = key_in(done.stdout)
        assert as_a_user("recover-access", "ben@example.com", *on, typed=f"{new}\n").returncode == 0
