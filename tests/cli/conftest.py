"""An office for each file of tests, and terminals in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.office import Office, running_office
from tests.cli.terminal import Terminal

NewTerminal = Callable[[], Terminal]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company behind a real server; every test brings its own people."""
    with running_office(tmp_path_factory.mktemp("office")) as running:
        yield running


@pytest.fixture
def terminal(office: Office, tmp_path_factory: pytest.TempPathFactory) -> NewTerminal:
    """Makes terminals, each with a home of its own."""
    return lambda: Terminal(Path(tmp_path_factory.mktemp("home")), office)
