"""One provider for the tests of this folder that need a real one."""

from collections.abc import Iterator

import pytest

from tests.saml_provider import SamlProvider, running_saml_provider


@pytest.fixture(scope="session")
def started_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    with running_saml_provider(tmp_path_factory.mktemp("saml_provider")) as provider:
        yield provider
