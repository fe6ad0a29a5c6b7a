"""The reports of a pack. Each picks its rows by a query over versioned views; what the cells say is read from entries.

`REPORTS` is in the order in which they are drawn. Those in `FROM_THE_BEGINNING` rest on entries of any age.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from onepam.evidence.reports import (
    access,
    accounts,
    changes,
    controls,
    decisions,
    incidents,
    inspections,
    leavers,
    matrix,
    policies,
    requests,
    reviews,
    sessions,
    systems,
    vendors,
)
from onepam.evidence.reports.scope import MAX_ROWS, Drawn, Scope, TooLarge

REPORTS: Mapping[str, Callable[[Scope], Drawn]] = MappingProxyType(
    {
        sessions.NAME: sessions.draw,
        requests.NAME: requests.draw,
        leavers.NAME: leavers.draw,
        reviews.NAME: reviews.draw,
        decisions.NAME: decisions.draw,
        changes.NAME: changes.draw,
        controls.NAME: controls.draw,
        inspections.NAME: inspections.draw,
        incidents.NAME: incidents.draw,
        policies.NAME: policies.draw,
        access.NAME: access.draw,
        accounts.NAME: accounts.draw,
        vendors.NAME: vendors.draw,
        matrix.NAME: matrix.draw,
        systems.NAME: systems.draw,
    }
)
FROM_THE_BEGINNING = frozenset({access.NAME, accounts.NAME, vendors.NAME, matrix.NAME, systems.NAME})

__all__ = ["FROM_THE_BEGINNING", "MAX_ROWS", "REPORTS", "Drawn", "Scope", "TooLarge"]
