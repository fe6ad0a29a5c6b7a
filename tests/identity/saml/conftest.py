"""One provider for the tests of this folder that need a real one."""

import secrets
from collections.abc import Iterator

import pytest

from onepam.identity.saml.keys import SpKey, new_key
from onepam.kernel.clock import Instant
from tests.saml_provider import SamlProvider, running_saml_provider


@pytest.fixture(scope="session")
def started_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    with running_saml_provider(tmp_path_factory.mktemp("saml_provider")) as provider:
        yield provider


@pytest.fixture(scope="session")
def other_key() -> SpKey:
    """A second key of ours, as while it changes."""
    return new_key("pam.example.com", Instant(1_800_000_000_000_000), secrets.token_bytes)
