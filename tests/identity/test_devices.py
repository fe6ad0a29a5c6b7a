"""Terminals that wait: how many, how long, how often they may ask, and who finds them."""

import secrets

import pytest

from onepam.domain.access.authority import Actor
from onepam.domain.signing_in.devices import LIFETIME
from onepam.identity.devices import (
    CROWDED,
    INTERVAL,
    OF_ADDRESS,
    OF_NETWORK,
    PENDING,
    REFUSED,
    SLOW_DOWN,
    SLOWER,
    Devices,
    Shown,
    Waiting,
)
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import Instant
from onepam.kernel.secret import Secret

NOW = Instant(1_800_000_000_000_000)
HERE = "192.0.2.1"
EVE = Actor("eve", "sgn_eve", HERE)


def later(microseconds: int) -> Instant:
    return Instant(NOW + microseconds)


@pytest.fixture
def devices() -> Devices:
    return Devices(secrets.token_bytes)


def asked(devices: Devices, source: str = HERE, now: Instant = NOW) -> tuple[Shown, Waiting]:
    shown = devices.ask(source, "eve@build", now, vouches=True)
    assert isinstance(shown, Shown)
    waiting = devices.named(shown.device, now)
    assert waiting is not None
    return shown, waiting


def test_what_the_terminal_shows_finds_its_question_and_only_its_secret_its_answer(devices: Devices) -> None:
    shown, waiting = asked(devices)
    digest = code_digest(shown.code)
    assert digest is not None
    assert waiting.asked.code_digest == digest.hex()
    assert devices.of(shown.secret, HERE, NOW) is waiting
    assert devices.of(shown.secret, "192.0.2.2", NOW) is None
    assert devices.of(Secret(b"opd_" + b"x" * 43), HERE, NOW) is None
    for gone in (devices.of(shown.secret, HERE, later(LIFETIME)), devices.named(shown.device, later(LIFETIME))):
        assert gone is None


def test_whoever_asks_too_often_waits_longer_each_time(devices: Devices) -> None:
    _, waiting = asked(devices)
    assert devices.poll(waiting, NOW) == SLOW_DOWN
    assert devices.poll(waiting, later(INTERVAL)) == SLOW_DOWN
    at = INTERVAL + INTERVAL + 2 * SLOWER
    assert devices.poll(waiting, later(at)) == PENDING
    waiting.answer = EVE
    assert devices.poll(waiting, later(at)) == SLOW_DOWN
    assert devices.poll(waiting, later(at + INTERVAL + 3 * SLOWER)) == EVE


def test_what_was_answered_asks_nobody_any_more(devices: Devices) -> None:
    shown, waiting = asked(devices)
    waiting.answer = EVE
    assert devices.named(shown.device, NOW) is None
    assert not devices.show_key(waiting, "fac_1")
    assert devices.poll(waiting, later(INTERVAL)) == EVE
    shown, waiting = asked(devices)
    waiting.over = True
    assert devices.named(shown.device, NOW) is None
    assert devices.poll(waiting, later(INTERVAL)) == REFUSED
    assert devices.of(shown.secret, HERE, NOW) is None


def test_keys_are_shown_once(devices: Devices) -> None:
    _, waiting = asked(devices)
    assert devices.show_key(waiting, "")
    assert not devices.show_key(waiting, "fac_1")
    assert waiting.asked.key == ""
    _, waiting = asked(devices)
    assert devices.show_key(waiting, "fac_1")
    assert waiting.asked.key == "fac_1"


def test_one_address_and_one_network_hold_no_more_than_their_share(devices: Devices) -> None:
    for _ in range(OF_ADDRESS):
        asked(devices)
    assert devices.ask(HERE, "x", NOW, vouches=True) == CROWDED
    for number in range(OF_ADDRESS, OF_NETWORK):
        asked(devices, f"192.0.2.{100 + number}")
    assert devices.ask("192.0.2.250", "x", NOW, vouches=True) == CROWDED
    asked(devices, "198.51.100.1")
    asked(devices, now=later(LIFETIME))


def test_the_oldest_gives_way() -> None:
    devices = Devices(secrets.token_bytes, most=3)
    first, second, *_ = [asked(devices, f"10.0.{number}.1")[0] for number in range(4)]
    assert devices.named(first.device, NOW) is None
    assert devices.named(second.device, NOW) is not None
