"""What may be asked for on a resource, as Home and the resource's own page offer it."""

from typing import cast

from onepam.app.ports import Snapshot
from onepam.console.matrix.launching import offers
from onepam.domain.access.model import Action
from onepam.kernel.clock import HOUR, Instant
from onepam.store.read.catalogue import Catalogue, Requestable
from onepam.store.read.estate import Site

ORDERS = Site("orders", "postgres", {}, "ben", True, "orders")


def offered(permission: str, hours: int, pending: str | None = None) -> Requestable:
    return Requestable(
        ORDERS, "app", "engineer", permission, (Action.QUERY,), hours * HOUR, ("approver",), False, pending
    )


def test_of_several_permissions_the_longest_is_offered_in_either_order() -> None:
    nowhere = cast(Snapshot, None)  # who is asked is looked up for the first `most` alone
    short, long = offered("short", 1), offered("long", 8, "req_1")
    for found in ((short, long), (long, short)):
        (entry,) = offers(nowhere, Instant(0), "eve", Catalogue((), found, 0), 0)
        assert entry["options"] == [
            {"value": "engineer:app", "login": "app", "role": "engineer", "longest": 8 * HOUR, "opens": "query"}
        ]
        assert entry["pending"] == "req_1"
        assert entry["approvers"] == ""
