"""The gate of every try of a factor that can be guessed."""

import pytest

from onepam.domain.signing_in.events import FactorKind, SignInFailed
from onepam.domain.signing_in.gate import LOCKED, WRONG, Device, Failures, Tries, Visitor, failed, locked
from onepam.kernel.clock import SECOND, Instant

NOW = Instant(1_800_000_000_000_000)
STRANGER, AT_HOME = Visitor("192.0.2.1"), Visitor("192.0.2.7", Device.KNOWN)


@pytest.mark.parametrize(("until", "is_locked"), [(None, False), (NOW, False), (Instant(NOW + 1), True)])
def test_a_lock_holds_until_its_end(until: Instant | None, is_locked: bool) -> None:
    assert locked(Tries(strange=Failures(9, until)), STRANGER, FactorKind.TOTP, NOW) is is_locked


def test_each_kind_of_device_has_its_own_count_and_lock() -> None:
    tries = Tries(strange=Failures(9, Instant(NOW + SECOND)), known=Failures(2))
    assert not locked(tries, AT_HOME, FactorKind.PASSWORD, NOW)
    (event,) = failed("eve", tries, AT_HOME, FactorKind.PASSWORD, NOW)
    assert event == SignInFailed("eve", FactorKind.PASSWORD, WRONG.code, 3, None, device="known", source="192.0.2.7")


def test_a_passkey_is_neither_counted_nor_locked() -> None:
    tries = Tries(strange=Failures(9, Instant(NOW + SECOND)))
    assert not locked(tries, STRANGER, FactorKind.PASSKEY, NOW)
    assert failed("eve", tries, STRANGER, FactorKind.PASSKEY, NOW) == ()


def test_the_fifth_failure_locks() -> None:
    found = [failed("eve", Tries(Failures(count)), STRANGER, FactorKind.TOTP, NOW)[0].locked_until for count in (3, 4)]
    assert found == [None, NOW + 30 * SECOND]


def test_a_lock_is_told_once_and_does_not_grow_by_tries() -> None:
    until = Instant(NOW + SECOND)
    (event,) = failed("eve", Tries(Failures(6, until)), STRANGER, FactorKind.TOTP, NOW)
    assert (event.code, event.failures, event.locked_until) == (LOCKED, 6, until)
    assert failed("eve", Tries(Failures(6, until, tried=True)), STRANGER, FactorKind.TOTP, NOW) == ()
    assert failed("eve", Tries(Failures(6, NOW, tried=True)), STRANGER, FactorKind.TOTP, NOW)[0].failures == 7
