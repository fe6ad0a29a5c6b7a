"""A signer that holds the key which certified the nodes of the ledger that is shown to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onepam.ledger.note import VerifierKey
from onepam.signing.key_file import create_new
from onepam.signing.signer import create_signer
from tests.ledger.written import LOG, ORIGIN
from tests.signing.signers import Process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    with ExitStack() as running:

        def begin(before: str = "") -> Process:
            process = Process(tmp_path, before)
            running.callback(process.process.communicate)
            running.callback(process.process.kill)
            return process

        yield begin


@pytest.fixture
def vkey(tmp_path: Path) -> VerifierKey:
    """A signer of the key that certified the nodes."""
    vkey = VerifierKey.parse(create_signer(tmp_path / "key.pem", tmp_path / "state", ORIGIN))
    assert vkey != LOG.public
    (tmp_path / "key.pem").unlink()
    pem = LOG.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    create_new(tmp_path / "key.pem", pem)
    return LOG.public
