"""SSH clients that nobody here wrote, each with a command that reads, writes and ends with a status. The dated table
is docs/conformance.md."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from tests.protocols.ssh.acceptor import Acceptor, accepting
from tests.protocols.ssh.conftest import Bench, relayed, target  # noqa: F401 - fixtures

pytestmark = [pytest.mark.anyio, pytest.mark.conformance]

GO = Path(__file__).parent / "ssh_go"


@pytest.fixture
async def known(relayed: Bench) -> AsyncIterator[tuple[Acceptor, str]]:  # noqa: F811
    """A listener, and its host key's fingerprint."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with accepting(replace(relayed.acceptor, port=0), [key]) as acceptor:
        yield acceptor, key.get_fingerprint()


async def test_putty(relayed: Bench, known: tuple[Acceptor, str]) -> None:  # noqa: F811
    acceptor, fingerprint = known
    key = relayed.folder / "person.ppk"
    await relayed.run("puttygen", str(relayed.folder / "person"), "-O", "private", "-o", str(key))
    common = ["-batch", "-i", str(key), "-hostkey", fingerprint, "-P", str(acceptor.port)]
    done = await relayed.run("plink", *common, "person@127.0.0.1", "cat; exit 9", stdin=b"words\n")
    assert (done.status, done.stdout) == (9, b"words\n"), done.stderr
    (relayed.folder / "sent").write_bytes(b"x" * 300_000)
    there, back = relayed.folder / "there", relayed.folder / "back"
    for tool in ("-sftp", "-scp"):
        done = await relayed.run("pscp", tool, *common, str(relayed.folder / "sent"), f"person@127.0.0.1:{there}")
        assert done.status == 0, done.stderr
        done = await relayed.run("pscp", tool, *common, f"person@127.0.0.1:{there}", str(back))
        assert (done.status, back.read_bytes()) == (0, b"x" * 300_000), done.stderr
        there.unlink()


@pytest.mark.parametrize("exchange", ["mlkem768x25519-sha256", "curve25519-sha256", "diffie-hellman-group16-sha512"])
async def test_go(relayed: Bench, known: tuple[Acceptor, str], exchange: str, tmp_path: Path) -> None:  # noqa: F811
    go = shutil.which("go") or "/usr/local/go/bin/go"
    program = str(tmp_path / "client")
    built = await relayed.run("env", "-C", str(GO), go, "build", "-mod=readonly", "-o", program, ".")
    assert built.status == 0, built.stderr
    done = await relayed.run(program, str(known[0].port), str(relayed.folder / "person"), exchange)
    assert (done.status, done.stdout) == (9, b"words\n"), done.stderr
