"""`onepam roster source set ldaps://…` against a real gateway's API: what is kept, and how."""

from base64 import b64decode
from collections.abc import Iterator

import pytest

from onepam.domain.roster.events import SOURCE_SECRET
from onepam.egress.ldap.client import Directory
from onepam.store.read.staff import health
from tests.api.office import Office, running_office
from tests.cli.conftest import NewTerminal
from tests.slapd import PASSWORD, PEOPLE, READER, Slapd, running_slapd, somebody

SET = ("roster", "source", "set", "ldaps://ldap.example.com")
ACCOUNT = ("--bind-dn", "cn=reader,dc=example", "--password-from-env", "LDAP_PASSWORD")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("slapd"), [somebody("noa", "1"), somebody("uma", "2")]) as found:
        yield found


@pytest.fixture(scope="module")
def office(slapd: Slapd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company that may connect to the directory."""
    with running_office(tmp_path_factory.mktemp("office"), Directory(slapd.egress, slapd.ca_file)) as running:
        yield running


def test_a_dry_run_reads_and_keeps_nothing(office: Office, slapd: Slapd, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("administrator"))
    words = ("roster", "source", "set", slapd.tls_url, "--base", PEOPLE, "--bind-dn", READER, "--dry-run")
    done = mine.run(*words, "--password-from-env", "LDAP_PASSWORD", LDAP_PASSWORD=PASSWORD)
    assert done.code == 0, done.err
    assert "2 rows: 2 new, 0 changed, 0 gone." in done.out
    assert "noa@example.com" in done.out
    done = mine.run(*words, "--password-from-env", "LDAP_PASSWORD", LDAP_PASSWORD="wrong")
    assert done.code == 1
    assert "account or password is wrong" in " ".join(done.err.split())
    more = ("--attribute", "email=telephoneNumber", "--password-from-env", "LDAP_PASSWORD")
    done = mine.run(*words, *more, LDAP_PASSWORD=PASSWORD)
    assert done.code != 0
    assert f"uid=noa,{PEOPLE}: telephoneNumber: it is empty." in " ".join(done.err.split()), done.err
    assert mine.run("roster", "source", "set", "https://hr.example.com", "--dry-run").code != 0
    found = office.run(lambda: office.reader(health))
    assert found.source is None
    assert found.newest is None


def test_a_directory_is_set(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("administrator"))
    done = mine.run(
        *SET,
        *("--base", "ou=people,dc=example", "--filter", "(objectClass=person)", *ACCOUNT, "--zone", "Europe/Berlin"),
        *("--attribute", "ends=accountExpires", "--attribute", "manager=", "--minutes", "30"),
        LDAP_PASSWORD="secret",
    )
    assert done.code == 0, done.err
    found = office.run(lambda: office.reader(health)).source
    assert found is not None
    assert (found.host, found.url, found.interval) == ("ldap.example.com", "ldaps://ldap.example.com", 1_800_000_000)
    assert found.directory == {
        "base": "ou=people,dc=example",
        "filter": "(objectClass=person)",
        "bind_dn": "cn=reader,dc=example",
        "zone": "Europe/Berlin",
        "transport": "ldaps",
        "ends": "accountExpires",
        "manager": "",
    }
    assert found.secret is not None
    sealed = b64decode(found.secret)
    assert b"secret" not in sealed
    assert office.services.envelope.open(sealed, SOURCE_SECRET).reveal() == b"secret"
    assert mine.run("roster", "source", "set", "ldap://ldap.example.com", "--base", "dc=example").code == 0
    found = office.run(lambda: office.reader(health)).source
    assert found is not None
    assert found.directory == {"base": "dc=example", "transport": "starttls"}
    assert found.secret is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "The base is not a distinguished name."),
        (("--base", "dc=example", "--filter", "(cn=a"), "a ) is missing at the end"),
        (("--base", "dc=example", "--zone", "Mars/Base"), "'Mars/Base' is not a time zone."),
        (("--base", "dc=example", "--bind-dn", "cn=x"), "An account needs a password"),
        (("--base", "dc=example", "--plain"), "ldaps:// is encrypted from its beginning"),
        (("--base", "dc=example", "--attribute", "colour=red"), "'colour' is no setting of a directory."),
        (("--base", "dc=example", "--password-from-env", "NOT_THERE"), "'NOT_THERE' is no environment variable"),
    ],
)
def test_what_is_refused(office: Office, terminal: NewTerminal, words: tuple[str, ...], said: str) -> None:
    done = terminal().signed_in(office.join("administrator")).run(*SET, *words)
    assert done.code != 0
    assert said in " ".join(done.err.split()), done.err
