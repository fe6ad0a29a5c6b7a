"""libssh2, whose heap a long list of signature algorithms overruns: a process each, watched by malloc."""

import sys
from dataclasses import replace

import asyncssh
import pytest

from tests.protocols.ssh.acceptor import accepting
from tests.protocols.ssh.conftest import Bench, keygen

pytestmark = pytest.mark.anyio

CLIENT = """
import socket, sys
from ssh2.session import Session

port, key = sys.argv[1:]
session = Session()
session.handshake(socket.create_connection(("127.0.0.1", int(port))))
session.userauth_publickey_fromfile("person", key)
channel = session.open_session()
channel.execute("cat; exit 9")
channel.write(b"words")
channel.send_eof()
print(channel.read()[1].decode(), flush=True)
channel.wait_eof()
channel.close()
channel.wait_closed()
sys.exit(channel.get_exit_status())
"""


@pytest.mark.parametrize("kind", [("-t", "rsa", "-b", "3072"), ("-t", "ed25519"), ("-t", "ecdsa")], ids=lambda k: k[1])
async def test_libssh2_signs_in_and_runs_a_command(relayed: Bench, kind: tuple[str, ...]) -> None:
    key = relayed.folder / "libssh2"
    public = keygen(key, "-m", "PEM", *kind)
    acceptor = replace(relayed.acceptor, person_key=asyncssh.import_public_key(public), port=0)
    async with accepting(acceptor):
        watched = ["env", "MALLOC_CHECK_=3", "MALLOC_PERTURB_=165", sys.executable, "-c", CLIENT]
        done = await relayed.run(*watched, str(acceptor.port), str(key))
    assert (done.status, done.stdout) == (9, b"words\n"), done.stderr
