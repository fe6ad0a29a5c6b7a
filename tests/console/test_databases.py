"""Resources that are databases, on each page that shows one: nothing on it is SSH's."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.sessions.close_session import close_session
from onepam.app.sessions.issue_token import issue_token
from onepam.console.matrix.pins import pin_shown
from onepam.domain.access.masking import Mask
from onepam.domain.access.model import Action, Mode, Permission, ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed
from onepam.domain.sessions.login_tokens import Issued
from onepam.kernel.clock import HOUR, instant
from onepam.store.read.catalogue import catalogue
from onepam.store.read.login_tokens import token_holder
from onepam.store.read.matrix import access_matrix
from tests.company import CERTIFICATE, binding, database_set, record, role_set
from tests.console.browsing import ADDRESS, Office

ENDS = datetime(2041, 5, 6, 7, 8, 9, tzinfo=UTC)
LABELS = {"kind": "database"}
READS = Permission("reads", (Action.QUERY,), LABELS, ("app",), Mode.STANDING, HOUR)
ASKS = Permission("asks", (Action.QUERY,), LABELS, ("root",), Mode.REQUEST, HOUR, ("manager",))


def authority(name: str = "Orders CA") -> x509.Certificate:
    """A certificate authority's own certificate."""
    key, called = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(ENDS - timedelta(days=30)).not_valid_after(ENDS)
    return dated.sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    """As access.yaml has it."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


async def with_orders(office: Office, *pins: str, mask: Mask | None = None) -> None:
    """A database that Eve reaches as `app`, and may ask for as `root`."""
    await record(
        office.company.ledger,
        replace(database_set("orders", LABELS), pins=pins, mask=mask),
        role_set("reader", [READS, ASKS]),
        binding("eve", "reader"),
    )


def test_pins_of_certificates_are_told() -> None:
    found = authority()
    digest = "sha256:" + found.fingerprint(hashes.SHA256()).hex()
    assert pin_shown(ResourceKind.POSTGRES, pem(found)) == {
        "fingerprint": digest,
        "algorithm": "authority CN=Orders CA",
        "ends": instant(ENDS),
    }
    assert pin_shown(ResourceKind.POSTGRES, CERTIFICATE)["fingerprint"] == CERTIFICATE
    assert "\u202e" not in str(pin_shown(ResourceKind.POSTGRES, pem(authority("a\u202eb")))["algorithm"])


@pytest.mark.parametrize("kind", ResourceKind)
@pytest.mark.parametrize("pin", ["", "x", "ssh-ed25519", "ssh-ed25519 !!!", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_pin_that_cannot_be_read_is_said_to_be_so(kind: ResourceKind, pin: str) -> None:
    assert "cannot be read" in str(pin_shown(kind, pin)["algorithm"])


@pytest.mark.anyio
async def test_the_page_of_a_database_shows_its_certificates(office: Office) -> None:
    await with_orders(office, CERTIFICATE, pem(authority()), "sha256 of nothing")
    ada = await office.sign_in("ada")
    page = await ada.read("/resources/orders")
    assert "<dd>PostgreSQL</dd>" in page
    assert CERTIFICATE in page
    assert "authority CN=Orders CA, valid until" in page
    assert "2041" in page
    assert "TLS certificate that cannot be read" in page
    assert "TLS certificate pinned" in await ada.read("/resources")


@pytest.mark.anyio
async def test_the_page_of_a_database_says_what_is_masked_to_whoever_reaches_it(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    eve = await office.sign_in("eve")
    assert "<dt>Masked</dt>" not in await eve.read("/resources/orders")
    await with_orders(office, CERTIFICATE, mask=Mask(("customers.email", "card_number"), ("[0-9]{16}",)))
    page = await eve.read("/resources/orders")
    assert "<dt>Masked</dt><dd>columns customers.email, card_number; patterns [0-9]{16}</dd>" in page


@pytest.mark.anyio
async def test_a_database_without_a_pin_lacks_a_certificate(office: Office) -> None:
    await with_orders(office)
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    assert "No TLS certificate pinned" in await ada.read("/resources/orders")
    assert "No TLS certificate yet" in await ada.read("/resources")
    assert "No TLS certificate pinned" in await eve.read("/?q=orders")


@pytest.mark.anyio
async def test_a_database_is_reached_by_psql(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    eve, max_ = await office.sign_in("eve"), await office.sign_in("max")
    home = await eve.read("/?q=orders")
    line = "host=gate.example.org port=5433 user=app@orders dbname=DATABASE sslmode=verify-full sslrootcert="
    assert line in home
    assert "jdbc:postgresql://gate.example.org:5433/DATABASE?user=app%40orders" in home
    assert "http://localhost/databases/root.pem" in home
    assert "ssh -p" not in home
    own = await eve.read("/resources/orders")
    assert line in own
    assert own.count('action="/databases/token"') == 1, "root is not open yet, app is"
    assert "<span>Ask for more access</span>" in own.replace('<span class="ask-what">', "<span>")
    assert "root · " in own
    assert 'action="/databases/token"' not in await (await office.sign_in("ada")).read("/resources/orders")
    asked = await office.company.ask("eve", "orders", "root")
    assert "ssh -p" not in await max_.read("/approvals")
    await office.company.approve("max", asked)
    page = await eve.read(f"/requests/{asked.request}")
    assert "user=root@orders" in page
    assert "ssh -p" not in page


@pytest.mark.anyio
async def test_one_that_speaks_mysql_is_reached_by_mariadb(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    await record(
        office.company.ledger,
        replace(database_set("orders", LABELS, ResourceKind.MYSQL), pins=(CERTIFICATE,), port=3306),
    )
    eve = await office.sign_in("eve")
    line = "mariadb --host=gate.example.org --port=3307 --user=app@orders --ssl-verify-server-cert --password --ssl-ca="
    home = await eve.read("/?q=orders")
    assert line in home
    assert "psql" not in home
    answer = await eve.post("/databases/token", resource="orders", login="app")
    assert line in answer.text
    assert "jdbc:mysql://gate.example.org:3307/DATABASE?user=app%40orders" in answer.text
    object.__setattr__(office.services, "mysql", ("gate.example.org", 0))
    assert "Not served here" in await eve.read("/?q=orders")


@pytest.mark.anyio
async def test_where_the_gateway_does_not_listen_for_databases_home_says_so(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    object.__setattr__(office.services, "postgres", ("gate.example.org", 0))
    home = await (await office.sign_in("eve")).read("/?q=orders")
    assert "Not served here" in home
    assert "psql" not in home


@pytest.mark.anyio
async def test_a_session_with_a_database_is_none_of_commands_and_files(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    company, eve = office.company, await office.sign_in("eve")
    issued = await issue_token(company.ledger, company.actor("eve"), "tok_1", "orders", "app", "ab" * 32)
    assert isinstance(issued, Issued), issued
    knock = Knock(
        "ses_1", EntryPoint.POSTGRES_TOKEN, "eve", "orders", "app", "node-1", ADDRESS, "psql", "sgn_eve", token="tok_1"
    )
    assert isinstance(await open_session(company.ledger, knock), Opened)
    page = await eve.read("/sessions/ses_1")
    assert "No statements" in page
    assert "Commands and files" not in page
    end = SessionClosed("ses_1", SessionEnd.CLIENT_LEFT, "ab" * 32, 1, {"executions": 3}, verified=True)
    assert await close_session(company.ledger, end) is None
    page = await eve.read("/sessions/ses_1")
    assert "<strong>3</strong> statements run" in page
    assert "shells or commands" not in page
    assert "No command was run" not in page
    assert "3 statements run" in await eve.read("/sessions")


@pytest.mark.anyio
async def test_a_shell_on_a_database_reaches_nothing(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    shell = Permission("shells", (Action.SHELL,), LABELS, ("app",), Mode.STANDING, HOUR)
    asked = Permission("asked", (Action.EXEC,), LABELS, ("root",), Mode.REQUEST, HOUR, ("manager",))
    await record(office.company.ledger, role_set("sheller", [shell, asked]), binding("vic", "sheller"))
    ada, vic = await office.sign_in("ada"), await office.sign_in("vic")
    home = await vic.read("/?q=orders")
    assert "app@orders" not in home
    assert "Nothing you may ask for matches" in home
    page = await ada.read("/resources/orders")
    assert "Eve Example" in page
    assert "/people/vic" not in page
    assert "1 person" in await ada.read("/resources?q=orders")


@pytest.mark.anyio
async def test_of_mixed_actions_a_database_has_its_own(office: Office) -> None:
    mixed = Permission("mixed", (Action.SHELL, Action.QUERY), LABELS, ("app",), Mode.STANDING, HOUR)
    await record(office.company.ledger, database_set("orders", LABELS), role_set("mixed", [mixed]))
    await record(office.company.ledger, binding("vic", "mixed"))
    found = await office.company.reader(catalogue, None, "vic", "orders")
    assert [each.actions for each in found.open] == [(Action.QUERY,)]
    rows = await office.company.reader(lambda db, at: list(access_matrix(db, at, "vic", "orders")), None)
    assert [each.actions for each in rows] == [(Action.QUERY,)]


@pytest.mark.anyio
async def test_a_token_is_got_by_a_button_and_shown_once(office: Office) -> None:
    await with_orders(office, CERTIFICATE)
    eve = await office.sign_in("eve")
    assert "Get a token" in await eve.read("/?q=orders")
    answer = await eve.post("/databases/token", resource="orders", login="app")
    assert answer.status_code == 200
    found = re.search(r"opl_[A-Za-z0-9_-]+", answer.text)
    assert found is not None
    assert "user=app@orders" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    holder = await office.company.reader(token_holder, None, sha256(found[0].encode()).hexdigest())
    assert holder is not None
    assert found[0] not in await eve.read("/?q=orders")
    refused = await eve.post("/databases/token", resource="orders", login="root")
    assert "opl_" not in refused.text
    assert "Get a token" not in await eve.read("/?q=dev-1")
