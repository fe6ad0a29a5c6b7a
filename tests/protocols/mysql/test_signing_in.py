"""What a server gets for its nonce. The values are PyMySQL's; no server here asks for those of caching_sha2."""

import pytest

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql.signing_in import SigningIn
from tests.protocols.postgres.server import PASSWORD

NONCE = bytes(range(1, 21))


def signing_in(secret: str = PASSWORD) -> SigningIn:
    return SigningIn("app", Secret(secret.encode()))


@pytest.mark.parametrize(
    ("plugin", "answer"),
    [
        ("caching_sha2_password", "e84baa8ea6d79334808588046c20180e5636c1a7635630b20f6ae290a3c42c24"),
        ("mysql_native_password", "dfca956610098bdd24e8956d3683733559fcbfce"),
    ],
)
def test_an_answer_to_a_nonce(plugin: str, answer: str) -> None:
    found = signing_in()
    assert found.begin(plugin, NONCE) == (plugin, bytes.fromhex(answer))
    assert found.switched(plugin, NONCE) == bytes.fromhex(answer)
    assert not found.in_clear


def test_the_full_authentication_of_caching_sha2() -> None:
    found = signing_in()
    found.begin("caching_sha2_password", NONCE)
    assert found.more(b"\3") == b""
    before = found.in_clear
    assert found.more(b"\4") == PASSWORD.encode() + b"\0"
    assert (before, found.in_clear) == (False, True)
    assert isinstance(found.more(b"\2"), Refused)


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "sha256_password", "client_ed25519", "dialog", ""])
def test_what_a_greeting_alone_does_not_begin(plugin: str) -> None:
    """The password itself, and what takes a longer nonce than it has."""
    assert signing_in().begin(plugin, NONCE)[0] == "mysql_native_password"


def test_the_password_itself_is_given_to_who_asks_for_it_only() -> None:
    found = signing_in()
    found.begin("mysql_clear_password", NONCE)
    before = found.in_clear
    assert found.switched("sha256_password", NONCE) == PASSWORD.encode() + b"\0"
    assert (before, found.in_clear) == (False, True)


@pytest.mark.parametrize("plugin", ["mysql_old_password", "dialog", "auth_gssapi_client", ""])
def test_another_way_is_refused(plugin: str) -> None:
    assert isinstance(signing_in().switched(plugin, NONCE), Refused)
    assert isinstance(signing_in("-----BEGIN CERTIFICATE-----").switched("mysql_native_password", NONCE), Refused)
