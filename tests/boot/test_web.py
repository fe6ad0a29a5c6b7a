"""The console's listener behind a proxy, with TLS of its own, and with neither."""

import re
import ssl
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from onepam.app.people.add_person import add_person
from onepam.boot.clock import wall_clock
from onepam.boot.config import BadConfig, Config
from onepam.boot.platform import Platform
from onepam.boot.web import server
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import SignInFailed
from onepam.kernel.clock import DAY, moment
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries

pytestmark = pytest.mark.anyio


async def source_of_a_failure(config: Config, headers: dict[str, str]) -> str | None:
    """Where a wrong password came from, as the ledger has it."""
    async with Platform(config).running() as platform:
        ada = Attributes("Ada", "ada@example.com")
        assert await add_person(platform.ledger, None, "per_ada", PersonKind.EMPLOYEE, ada, "founder") is None
        address = platform.config.url
        async with httpx2.AsyncClient(base_url=address, headers=headers, follow_redirects=True, timeout=60) as browser:
            page = await browser.get("/sign-in")
            csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
            assert csrf is not None
            form = {"csrf": csrf[1], "login": "ada@example.com", "password": "wrong", "next": "/"}
            answer = await browser.post("/sign-in", data=form, headers={"origin": address})
            assert answer.status_code == 403
        db = connect(platform.database, read_only=True)
        failed = [each.event for each in entries(db, 0, 1 << 40) if isinstance(each.event, SignInFailed)]
        db.close()
        return failed[-1].source


def config(folder: Path, **settings: object) -> Config:
    return Config(folder, console_port=0, ssh_port=0, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "source"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("192.0.2.0/24",), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.0/8", "::1"), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "198.51.100.1, 203.0.113.9, 127.0.0.2", "203.0.113.9"),
        (("127.0.0.0/8",), "<script>", "127.0.0.1"),
        (("127.0.0.0/8",), "2001:db8::7", "2001:db8::7"),
    ],
    ids=[
        "nobody is believed",
        "another proxy is believed",
        "the proxy is believed",
        "what the client says is not",
        "no address",
        "IPv6",
    ],
)
async def test_where_somebody_comes_from(tmp_path: Path, trusted: tuple[str, ...], forwarded: str, source: str) -> None:
    settings = config(tmp_path, trusted_proxies=trusted)
    assert await source_of_a_failure(settings, {"x-forwarded-for": forwarded}) == source


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = wall_clock()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(moment(now - DAY))  # type: ignore[arg-type]
        .not_valid_after(moment(now + DAY))  # type: ignore[arg-type]
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "tls.pem", folder / "tls.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


async def test_tls_of_its_own(tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    settings = config(tmp_path / "data", tls_certificate=str(pem), tls_key=str(key))
    async with Platform(settings).running() as platform:
        assert platform.config.url.startswith("https://localhost:")
        trusted = ssl.create_default_context(cafile=str(pem))
        async with httpx2.AsyncClient(base_url=platform.config.url, verify=trusted, timeout=60) as browser:
            page = await browser.get("/sign-in")
        assert page.status_code == 200
        assert "Secure" in page.headers["set-cookie"]


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="trusted_proxies: 'everybody'"):
        _ = config(tmp_path, trusted_proxies=("everybody",)).proxies
    with pytest.raises(BadConfig, match="tls_key: there is no file ''"):
        _ = config(tmp_path, tls_certificate=str(certificate(tmp_path)[0])).tls


@pytest.mark.parametrize(
    ("client", "known"),
    [(("::ffff:192.0.2.7", 9), ("192.0.2.7", 9)), (("2001:db8::7", 9), ("2001:db8::7", 9)), (None, None)],
)
async def test_who_comes_by_ipv4_to_a_listener_on_both_is_known_by_it(
    client: tuple[str, int] | None, known: tuple[str, int] | None
) -> None:
    seen: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"])

    await server.forwarded(app, ())({"type": "http", "client": client}, None, None)  # type: ignore[arg-type]
    assert seen == [known]
