"""Libraries of SSH that nobody here wrote, each with a file there and back by SFTP, a forwarded port and a command that
reads and ends with a status. The dated table is docs/conformance.md."""

import sys
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from tests.protocols.ssh.acceptor import accepting
from tests.protocols.ssh.conftest import Bench, keygen, relayed, target  # noqa: F401 - fixtures
from tests.protocols.ssh.test_forward import anywhere
from tests.protocols.ssh.test_port_forwarding import serving

pytestmark = [pytest.mark.anyio, pytest.mark.conformance]

OWN = Path(__file__).parent / "ssh_clients"
CLIENTS = Path(__file__).parents[2] / "var" / "ssh-clients"
"""Laid there by scripts/conformance/install-ssh-clients."""

PROGRAMS = {
    "fabric": ["env", f"PYTHONPATH={CLIENTS}/fabric", sys.executable, str(OWN / "fabric_client.py")],
    "jsch": ["java", "-cp", f"{CLIENTS}/classes:{CLIENTS}/jars/*", "JschClient"],
    "mina": ["java", "-cp", f"{CLIENTS}/classes:{CLIENTS}/jars/*", "MinaClient"],
}


@pytest.mark.parametrize(
    ("program", "kind"),
    [("fabric", "ed25519"), ("jsch", "ed25519"), ("mina", "ecdsa")],  # of Ed25519 MINA knows by another library alone
)
async def test_all_that_it_does(relayed: Bench, program: str, kind: str) -> None:  # noqa: F811
    key, there = relayed.folder / kind, str(relayed.folder / "there")
    keygen(key, "-t", kind)
    registered = asyncssh.read_public_key(str(key.with_suffix(".pub")))
    acceptor = replace(relayed.acceptor, port=0, person_key=registered, rule=anywhere)
    shown = [asyncssh.generate_private_key(each) for each in ("ssh-ed25519", "ecdsa-sha2-nistp256")]
    async with serving() as port, accepting(acceptor, shown):
        done = await relayed.run(*PROGRAMS[program], str(acceptor.port), str(key), there, str(port))
    assert (done.status, done.stdout) == (9, b"forwarded\nwords\n"), done.stderr
