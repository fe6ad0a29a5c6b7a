"""The authority of our listeners for databases, judged by OpenSSL: who trusts its root takes its certificates alone."""

import secrets
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from onepam.kernel.clock import DAY, SECOND, Instant
from onepam.kernel.errors import Corrupt
from onepam.vault.authorities import Authorities
from onepam.vault.database_authority import SERVER_LIFETIME, DatabaseAuthority
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

NOW = Instant(int(datetime.now(UTC).timestamp()) * SECOND)


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys.create(tmp_path / "master.keys", secrets.token_bytes)


@pytest.fixture
def authority(tmp_path: Path, keys: FileKeys) -> DatabaseAuthority:
    return opened(tmp_path, keys)


def opened(folder: Path, keys: FileKeys) -> DatabaseAuthority:
    return DatabaseAuthority(folder, Envelope(keys, secrets.token_bytes), secrets.token_bytes, NOW)


def shaken(authority: DatabaseAuthority, root: bytes, name: str, *names: str, at: Instant = NOW) -> None:
    """A client that trusts the root and wants a name meets a server that shows a certificate for names. Raises
    `ssl.SSLError`."""
    issued = authority.issue(names, at)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cadata=root.decode())
    for file in (Path("/tmp") / secrets.token_hex(8),):
        file.write_bytes(issued.certificate + issued.key.reveal())
        server.load_cert_chain(file)
        file.unlink()
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["pam.example.com", "db-1.pam.example.com", "127.0.0.1"])
def test_whoever_trusts_the_root_takes_our_certificate(authority: DatabaseAuthority, name: str) -> None:
    shaken(authority, authority.root, name, "pam.example.com", "*.pam.example.com", "127.0.0.1")


def test_nobody_takes_another_name_another_root_or_an_old_certificate(
    authority: DatabaseAuthority, tmp_path: Path, keys: FileKeys
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shaken(authority, authority.root, "pam.example.com", "other.example.com")
    (tmp_path / "other").mkdir()
    other = opened(tmp_path / "other", keys)
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        shaken(authority, other.root, "pam.example.com", "pam.example.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shaken(authority, authority.root, "x.example", "x.example", at=Instant(NOW - SERVER_LIFETIME - DAY))


def test_the_root_stays_and_certifies_servers_alone(
    authority: DatabaseAuthority, tmp_path: Path, keys: FileKeys
) -> None:
    assert opened(tmp_path, keys).root == authority.root
    found = x509.load_pem_x509_certificate(authority.root)
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    leaf = x509.load_pem_x509_certificate(authority.issue(("a.example",), NOW).certificate)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_after_utc.timestamp() == (NOW + SERVER_LIFETIME) // SECOND


def test_its_key_is_sealed_and_moves_to_a_new_master_key(tmp_path: Path, keys: FileKeys) -> None:
    envelope = Envelope(keys, secrets.token_bytes)
    authorities = Authorities(tmp_path / "authorities", envelope, secrets.token_bytes)
    root = authorities.database(NOW).root
    assert authorities.database(NOW).root == root
    file = tmp_path / "authorities" / "database.sealed"
    assert b"PRIVATE" not in file.read_bytes()
    assert authorities.rewrap() == 0
    keys.rotate()
    assert authorities.rewrap() == 5
    assert Authorities(tmp_path / "authorities", envelope, secrets.token_bytes).database(NOW).root == root
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(Corrupt):
        opened(tmp_path / "authorities", keys)


def test_a_certificate_has_names(authority: DatabaseAuthority) -> None:
    for names in ((), ("a.example",) * 17):
        with pytest.raises(ValueError, match="names"):
            authority.issue(names, NOW)
