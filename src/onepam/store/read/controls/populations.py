"""Which population a control is tested over: a row for each control of the catalogue."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Population, Run, Test, run
from onepam.kernel.clock import Instant
from onepam.store.read.controls import access, incidents, people, reviews, rights, sessions, system, systems

POPULATIONS: Mapping[str, Callable[[Snapshot, Instant, Test], Population]] = MappingProxyType(
    {
        "IDN-01": people.accounts,
        "MFA-01": sessions.second_factors,
        "MFA-04": sessions.exceptions,
        "OFF-01": people.ended,
        "OFF-02": people.stayed_out,
        "OFF-03": systems.stood_behind,
        "OFF-06": people.refused_when_asked,
        "VND-01": people.vendors,
        "PRV-01": access.asked_for,
        "PRV-02": access.bound,
        "PRV-03": people.added,
        "PRV-04": access.ended_in_time,
        "RBC-01": rights.as_designed,
        "RBC-02": access.owned_roles,
        "RBC-03": access.direct_bindings,
        "LPV-01": rights.few_administer,
        "LPV-02": rights.used_or_disposed,
        "LPV-03": rights.kept_apart,
        "LPV-04": rights.none_standing,
        "REV-01": reviews.held_in_time,
        "REV-02": reviews.of_everything,
        "REV-03": reviews.by_whoever_may,
        "REV-04": reviews.carried_out,
        "REV-05": reviews.with_care,
        "REV-06": reviews.answered_or_suspended,
        "LOG-01": sessions.recorded,
        "LOG-03": system.verified,
        "MON-03": incidents.inspected,
        "MON-05": incidents.dealt_with,
        "CHG-01": access.changed_by_two,
        "EVD-01": system.tested,
    }
)


def run_of(db: Snapshot, at: Instant, control: str) -> Run:
    """What the test of a control finds as of `at`. Raises `KeyError` for what is no control."""
    return run(TESTS[control], at, POPULATIONS[control](db, at, TESTS[control]))
