"""The rules of accounts against the roster."""

from dataclasses import replace

import pytest

from onepam.domain.controls.accounts import AHEAD, Standing, of_account, of_vendor
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, Instant

NOW = Instant(1000 * DAY)
EVE = Standing(PersonKind.EMPLOYEE, 1, None, None, None, owner_listed=False)
BOT = Standing(PersonKind.SERVICE, 0, None, None, "eve", owner_listed=True)
VIC = Standing(PersonKind.VENDOR, 1, Instant(NOW + DAY), Instant(NOW + DAY), "max", owner_listed=True)


@pytest.mark.parametrize(
    ("account", "findings"),
    [
        (EVE, []),
        (replace(EVE, listed=0), ["on no roster, or has left it"]),
        (replace(EVE, listed=2), ["on the roster more than once"]),
        (BOT, []),
        (replace(BOT, owner=None), ["a service without an owner"]),
        (replace(BOT, owner_listed=False), ["a service whose owner is not on the roster"]),
    ],
)
def test_an_account_is_somebodys(account: Standing, findings: list[str]) -> None:
    assert of_account(account, NOW) == findings


@pytest.mark.parametrize(
    ("vendor", "findings"),
    [
        (VIC, []),
        (replace(VIC, contract_ends=Instant(NOW + 2 * AHEAD), ends=Instant(NOW + AHEAD)), []),
        (replace(VIC, listed=0), ["on no roster, or has left it"]),
        (replace(VIC, owner=None), ["no sponsor"]),
        (replace(VIC, owner_listed=False), ["the sponsor is not on the roster"]),
        (replace(VIC, contract_ends=None), ["no contract end"]),
        (replace(VIC, ends=None), ["access without an end"]),
        (replace(VIC, ends=Instant(NOW + DAY + 1)), ["access outlasts the contract"]),
        (replace(VIC, contract_ends=Instant(NOW + 2 * AHEAD), ends=Instant(NOW + AHEAD + 1)),
         ["access ends more than 90 days ahead"]),
    ],
)  # fmt: skip
def test_a_vendor_has_a_sponsor_and_an_end(vendor: Standing, findings: list[str]) -> None:
    assert of_vendor(vendor, NOW) == findings
