"""What a control, its test and a run of it are: nouns only. Which there are stands in `catalogue.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from onepam.kernel.canonical import encode
from onepam.kernel.clock import DAY, Instant


class Verdict(StrEnum):
    """What a test says of one row, and of all of them. `not-tested` is no kind of `pass`: nothing says that it holds.
    `excluded`: it fails, and somebody answers for that until a day (only of rows)."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_TESTED = "not-tested"
    EXCLUDED = "excluded"


class Severity(StrEnum):
    """How much a failure weighs."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Control:
    """What is to hold. `criteria` are ids of the 2017 Trust Services Criteria, `every` is how often it is tested
    (microseconds)."""

    id: str
    title: str
    criteria: tuple[str, ...]
    severity: Severity = Severity.HIGH
    every: int = DAY


@dataclass(frozen=True, slots=True)
class Test:
    """How it is found out. A changed `rule` is a new `version`. The population is what happened within the `days`
    before the run; or, where `days` is 0, what there is at the run. `blind` is what the test does not show; `params`
    are the numbers of the rule, by name."""

    __test__ = False  # no test of pytest's

    control: Control
    version: int
    rule: str
    blind: str
    days: int = 0
    params: Mapping[str, int] = field(default_factory=dict)

    def begin(self, until: Instant) -> Instant | None:
        """Where the population of a run at `until` begins; None where it is as of `until`."""
        return Instant(max(0, until - self.days * DAY)) if self.days else None


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One member of the population: `kind` says what `key` is the id of, `reason` why it does not pass."""

    kind: str
    key: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Population:
    """All rows of a run. `cause` says by what else it is known that there are rightly none, "" where nothing does."""

    rows: tuple[Row, ...]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a test found over [begin, until), or as of `until`."""

    control: str
    version: int
    begin: Instant | None
    until: Instant
    rows: tuple[Row, ...]
    cause: str = ""

    def count(self, verdict: Verdict) -> int:
        """How many rows there are of a verdict."""
        return sum(each.verdict is verdict for each in self.rows)

    @property
    def verdict(self) -> Verdict:
        """Of the whole."""
        return verdict_of(
            len(self.rows),
            self.count(Verdict.FAIL),
            self.count(Verdict.NOT_TESTED),
            self.count(Verdict.EXCLUDED),
            self.cause,
        )

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the rows in their order: kind, key, verdict and reason of each."""
        lines = (encode([each.kind, each.key, each.verdict.value, each.reason]) for each in sorted(self.rows))
        return sha256(b"\n".join(lines)).hexdigest()


def verdict_of(population: int, failed: int, untested: int, excluded: int, cause: str) -> Verdict:
    """Fails with one row that fails; passes where every row that is not excluded passes and there is one, or where a
    cause says that there is rightly none. Whatever else is not tested."""
    if failed:
        return Verdict.FAIL
    if untested or (population == excluded and not (cause and not population)):
        return Verdict.NOT_TESTED
    return Verdict.PASS


def judged(kind: str, key: str, finding: str) -> Row:
    """A row that fails for a finding, and passes without one."""
    return Row(kind, key, Verdict.FAIL if finding else Verdict.PASS, finding)


def untested(kind: str, key: str, reason: str) -> Row:
    """A row of which nothing says whether it holds."""
    return Row(kind, key, Verdict.NOT_TESTED, reason)


def run(test: Test, until: Instant, population: Population, excepted: Iterable[tuple[str, str]] = ()) -> Run:
    """What a test found at `until`. `excepted` are the rows, by kind and key, that somebody answers for though they
    fail."""
    known = frozenset(excepted)
    rows = tuple(
        Row(each.kind, each.key, Verdict.EXCLUDED, each.reason)
        if each.verdict is Verdict.FAIL and (each.kind, each.key) in known
        else each
        for each in population.rows
    )
    return Run(test.control.id, test.version, test.begin(until), until, rows, population.cause)
