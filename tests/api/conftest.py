"""One office for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.api.office import Office, running_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company behind a real server; every test brings its own people."""
    with running_office(tmp_path_factory.mktemp("office")) as running:
        yield running
