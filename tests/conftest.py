"""What every test may ask for."""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.lawful import listening, new_folders, unlawful_in
from tests.targets import Sshd, free_port, running_sshd

# On shared, noisy machines the time of one example says nothing. In CI Hypothesis itself chooses a repeatable run.
settings.register_profile("onepam", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("onepam")


LONG = ("attack", "simulation", "tour", "boot", "install", "outbox", "protocols", "console", "ledger")
"""Rooms whose files take long: begun first, so that at the end no worker is alone with one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first (`--no-loadscope-reorder` keeps them there)."""
    here = Path(__file__).parent
    rank = {room: number for number, room in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(here).parts[0], len(rank)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What collecting has made stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """`@pytest.mark.anyio` tests run on asyncio, the loop of the product."""
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def _every_ledger_is_lawful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever ledger the tests of a file have made, by whatever way, is judged after them; what they laid by hand may
    be."""
    with listening():
        yield
    found = unlawful_in(new_folders(tmp_path_factory.getbasetemp()))
    assert not found, "\n".join(found)


@pytest.fixture
def loopback_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    return free_port()


@pytest.fixture
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sshd]]:
    """Starts real OpenSSH servers on loopback, with the arguments of `running_sshd`; they end with the test."""
    with ExitStack() as running:

        def start(**settings: Any) -> Sshd:
            return running.enter_context(running_sshd(tmp_path_factory.mktemp("sshd"), **settings))

        yield start
