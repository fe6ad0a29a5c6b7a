"""The listener for databases of a whole gateway: where it listens, what it shows, and that a guess opens nothing."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from secrets import token_bytes

import pytest

from onepam.app.sessions.target_secrets import prove_secret
from onepam.boot.clock import wall_clock
from onepam.boot.config import BadConfig, Config
from onepam.boot.databases import shown, tried
from onepam.boot.doors import bound
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened
from onepam.domain.sessions.target_secrets import Kept, SecretSet, SecretUsed, about
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.secret import Secret
from onepam.recording.statements import StatementText
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.gateway_fixture import Gateway, outcome, running_gateway
from tests.protocols.postgres.server import PASSWORD, pair, running_server
from tests.protocols.ways import TARGET, Postgres
from tests.targets import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), postgres_port=free_port()) as running:
        yield running


async def psql(gateway: Gateway, more: str = "") -> str:
    """What psql says that comes with a guess."""
    root = gateway.folder / "root.pem"
    root.write_bytes(gateway.platform.authorities.database(wall_clock()).root)
    where = (
        f"host=localhost hostaddr=127.0.0.1 port={gateway.platform.config.postgres_port} user=app@db-1 dbname=app "
        f"password=guess sslmode=verify-full sslrootcert={root} {more}"
    )
    return (await outcome(await gateway.start("psql", "-X", where))).stderr


async def test_a_guess_opens_nothing(gateway: Gateway) -> None:
    said = await psql(gateway)
    assert "FATAL:  OnePAM: This login token is not valid here." in said
    assert len(gateway.platform.live) == 0


async def test_without_tls_nothing_is_asked_for(gateway: Gateway) -> None:
    assert "OnePAM: Connect with TLS: nothing is asked for in the clear." in await psql(gateway, "sslmode=disable")


async def test_a_crowd_is_counted_and_its_address_is_said(gateway: Gateway, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.platform.config.postgres_port)
    async with asyncio.timeout(30):
        while not len(gateway.platform.doors.postgres):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    writer.close()
    gateway.platform.write_ready_file(tmp_path / "ready")
    assert '"postgres": {' in (tmp_path / "ready").read_text()
    assert await reader.read() == b""


def authorities(folder: Path) -> Authorities:
    envelope = Envelope(FileKeys.create(folder / "keys", token_bytes), token_bytes)
    return Authorities(folder / "authorities", envelope, token_bytes)


def peer(context: ssl.SSLContext, root: bytes, name: str) -> None:
    """A client that trusts this root and wants this name. Raises `ssl.SSLError`."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = ssl.create_default_context(cadata=root.decode()).wrap_bio(back, there, server_hostname=name)
    theirs = context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


async def test_an_operators_certificate_takes_the_place_of_ours(tmp_path: Path) -> None:
    ours, authority = authorities(tmp_path), pair("an authority", authority=True)
    config = Config(tmp_path / "data", gateway_name="pam.example.com")
    for name in ("pam.example.com", "db-1.pam.example.com"):
        peer(shown(config, ours)(), ours.database(wall_clock()).root, name)
    own = pair("localhost", authority)
    (tmp_path / "crt").write_bytes(own.certificate)
    (tmp_path / "key").write_bytes(own.key)
    crt, key = str(tmp_path / "crt"), str(tmp_path / "key")
    theirs = Config(tmp_path / "data", postgres_certificate=crt, postgres_key=key)
    peer(shown(theirs, ours)(), authority.certificate, "localhost")
    with pytest.raises(BadConfig, match="postgres_key"):
        shown(Config(tmp_path / "data", postgres_certificate=crt), ours)
    (tmp_path / "key").write_bytes(pair("another").key)
    with pytest.raises(Unavailable, match="cannot be used"):
        shown(theirs, ours)


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """A start that fails half-way leaves nothing that is listened to: whoever gets the descriptor next is deaf."""
    watched = asyncio.get_running_loop()._selector.get_map  # type: ignore[attr-defined]
    before = set(watched())
    with closing(bound("somebody", "127.0.0.1", 0)) as taken:
        with pytest.raises(Unavailable, match="PostgreSQL cannot listen on"):
            async with running_gateway(tmp_path, postgres_port=taken.getsockname()[1]):
                pass
    assert set(watched()) <= before


async def test_from_the_vault_to_the_recording(tmp_path: Path) -> None:
    """Nothing between psql and the server is a stand-in: the secret is tried there, sealed, and leased to a session."""
    port = free_port()
    with running_server(port=port) as server:
        async with running_gateway(tmp_path, egress=(f"127.0.0.1/32:{port}",), postgres_port=free_port()) as gateway:
            login, platform, way = gateway.target.login, gateway.platform, Postgres(gateway, server)
            await asyncio.to_thread(server.sql, f"CREATE ROLE \"{login}\" LOGIN PASSWORD '{PASSWORD}'")
            await gateway.record(way.resource(TARGET))
            person = await gateway.person()

            async def asked() -> tuple[str, str]:
                words = way.words(await way.token(person))
                done = await outcome(await gateway.start("psql", "-X", "-A", "-t", "-c", "SELECT 6 * 7", words))
                return done.stdout.decode().strip(), done.stderr

            assert "no secret" in (await asked())[1]
            (failed,) = await gateway.ended(person)
            assert isinstance(failed, SessionFailed)

            refused = await tried(platform, TARGET, login, Secret(b"a guess"))
            assert isinstance(refused, Refused)
            assert refused.code == "target.refusing"
            assert await tried(platform, TARGET, login, Secret(PASSWORD.encode())) is None
            first, second = Kept("sec_1", 1), Kept("sec_1", 2)
            sealed = platform.envelope.seal(Secret(PASSWORD.encode()), about(first, TARGET, login))
            await gateway.record(SecretSet("sec_1", 1, TARGET, login, person.id, b64encode(sealed).decode("ascii")))
            assert await prove_secret(platform.ledger, first) is None

            assert (await asked())[0] == "42"
            (closed,) = [each for each in await gateway.ended(person, 2) if isinstance(each, SessionClosed)]
            assert (closed.because, closed.verified, closed.counts["finishes"]) == (SessionEnd.CLIENT_LEFT, True, 1)
            texts = [each.text for each in gateway.recorded(closed.session) if isinstance(each, StatementText)]
            assert texts == [b"SELECT 6 * 7"]
            (used,) = gateway.events(SecretUsed)
            assert (used.session, used.secret, used.version) == (closed.session, "sec_1", 1)
            assert closed.session in {each.session for each in gateway.events(SessionOpened, person)}

            older = SecretSet("sec_1", 2, TARGET, login, person.id, b64encode(sealed).decode("ascii"))
            await gateway.record(older)  # as whoever puts the first version's envelope into the row of the second
            assert await prove_secret(platform.ledger, second) is None
            assert f"what the vault holds for {login} on {TARGET} is not version 2 of it" in (await asked())[1]
