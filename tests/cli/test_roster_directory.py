"""`onepam roster source set ldaps://…` against a real gateway's API: what is kept, and how."""

from base64 import b64decode

import pytest

from onepam.domain.staff import SOURCE_SECRET
from onepam.store.read.staff import health
from tests.api.office import Office
from tests.cli.conftest import NewTerminal

SET = ("roster", "source", "set", "ldaps://ldap.example.com")
ACCOUNT = ("--bind-dn", "cn=reader,dc=example", "--password-from-env", "LDAP_PASSWORD")


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
