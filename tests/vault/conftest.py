"""The parts of a vault that its tests share."""

import secrets

import pytest

from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FileKeys:
    return FileKeys.create(tmp_path_factory.mktemp("keys") / "master.keys", secrets.token_bytes)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory, keys: FileKeys) -> Authorities:
    folder = tmp_path_factory.mktemp("vault") / "authorities"
    return Authorities(folder, Envelope(keys, secrets.token_bytes), secrets.token_bytes)
