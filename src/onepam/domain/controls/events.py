"""What controls write down: what a test found, and who answers for a control."""

from dataclasses import dataclass

from onepam.domain.controls.control import Verdict
from onepam.domain.history.event import event
from onepam.kernel.clock import Instant


@event(
    "control.tested",
    klass="control",
    control="EVD-01",
    words="{by} tested the control {control}: {verdict}, {failed} of {population} fail",
)
@dataclass(frozen=True, slots=True)
class ControlTested:
    """A test ran over its whole population: what happened in [begin, until), or what there was at `until` where `begin`
    is None. `version` is that of its rule. Of `population` rows `failed` failed, of `untested` nothing says whether
    they hold, and `excluded` fail by an exception; the rest passed. `digest` is the hex SHA-256 over all rows.

    `cause`: by what it is known that there is rightly no row ("": nothing). `by` is None where time did it.
    """

    control: str
    version: int
    begin: Instant | None
    until: Instant
    population: int
    failed: int
    untested: int
    excluded: int
    digest: str
    cause: str
    verdict: Verdict
    by: str | None


@event(
    "control.assigned",
    klass="control",
    control="EVD-01",
    words="{by} said who answers for the control {control}: {owner}[, what fails is due until {due}]",
)
@dataclass(frozen=True, slots=True)
class ControlAssigned:
    """`owner` answers for the control from now on, and is to have what fails of it now mended until `due` (None:
    nothing is said)."""

    control: str
    owner: str
    due: Instant | None
    by: str


@event(
    "control.reminded",
    klass="control",
    control="EVD-01",
    words="{person} was told that the control {control} fails since {since}: {failed} rows",
)
@dataclass(frozen=True, slots=True)
class ControlReminded:
    """Whoever answers for the control was told, once, that it fails; `since` is when the first run failed of those that
    did one after the other, and `failed` how many rows failed in the last."""

    control: str
    person: str
    since: Instant
    failed: int
