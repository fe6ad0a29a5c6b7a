"""The listener for MySQL of a whole gateway: from the vault to the recording, and probes."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest

from onepam.app.sessions.target_secrets import prove_secret
from onepam.boot.databases import root, tried
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbeMade, ProbePath, ProbePurpose, ProbeResult
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SessionClosed, SessionOpened
from onepam.domain.sessions.target_secrets import Kept, SecretSet, about
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql.probe import ask
from tests.gateway_fixture import SECONDS, outcome, running_gateway
from tests.protocols.mysql.server import running_server
from tests.protocols.mysql.way import Mysql
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import TARGET, login_token
from tests.targets import free_port

pytestmark = pytest.mark.anyio


async def test_from_the_vault_to_the_recording_and_to_the_probe(tmp_path: Path) -> None:
    """Nothing between the stock client and the server is a stand-in: the secret is tried there, sealed, and leased."""
    port = free_port()
    with running_server(port=port) as server:
        async with running_gateway(tmp_path, egress=(f"127.0.0.1/32:{port}",), mysql_port=free_port()) as gateway:
            login, platform, way = gateway.target.login, gateway.platform, Mysql(gateway, server)
            user = f"`{login}`@`127.0.0.1`"
            await asyncio.to_thread(server.sql, f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{PASSWORD}'")
            await gateway.record(way.resource(TARGET))
            person = await gateway.person()

            refused = await tried(platform, TARGET, login, Secret(b"a guess"))
            assert isinstance(refused, Refused)
            assert refused.code == "target.refusing"
            assert await tried(platform, TARGET, login, Secret(PASSWORD.encode())) is None
            kept = Kept("sec_1", 1)
            sealed = platform.envelope.seal(Secret(PASSWORD.encode()), about(kept, TARGET, login))
            await gateway.record(SecretSet("sec_1", 1, TARGET, login, person.id, b64encode(sealed).decode("ascii")))
            assert await prove_secret(platform.ledger, kept) is None

            token = await login_token(gateway, person, TARGET)
            words = [
                "mariadb", "--no-defaults", "--batch", "--skip-column-names", "--host=localhost", "--protocol=tcp",
                f"--port={way.port}", f"--user={login}@{TARGET}", f"--password={token}", f"--ssl-ca={way.root}",
                "--ssl-verify-server-cert", "-e", "SELECT 6 * 7",
            ]  # fmt: skip
            done = await outcome(await gateway.start(*words))
            assert (done.stdout, done.stderr) == (b"42\n", "")
            (closed,) = await gateway.ended(person)
            assert isinstance(closed, SessionClosed)
            assert (closed.because, closed.verified) == (SessionEnd.CLIENT_LEFT, True)
            (opened,) = gateway.events(SessionOpened, person)
            assert isinstance(opened, SessionOpened)
            assert opened.entry is EntryPoint.MYSQL_TOKEN

            await gateway.record(
                PersonDisabled(person.id, "per_ada", "left"),
                SignedOut(person.sign_in, person.id, "person.disabled", None),
            )
            made: list[ProbeMade] = []
            async with asyncio.timeout(SECONDS):
                while not made:
                    await asyncio.sleep(0.1)
                    made = [each for each in gateway.events(ProbeMade, person) if each.path is ProbePath.MYSQL]
            assert [(each.proof, each.result) for each in made] == [(ProbedProof.TOKEN, ProbeResult.REFUSED)]

            tickets, trusted = platform.probes, root(platform.config, platform.authorities)
            asked = Probe(
                "prb_1", person.id, ProbePath.MYSQL, ProbedProof.ACCOUNT, ProbePurpose.ORDERED, resource=TARGET
            )
            ticket = tickets.ticket(asked)
            for expected in (True, False):  # it serves once
                assert await asyncio.to_thread(ask, "127.0.0.1", way.port, trusted, ticket) is expected
