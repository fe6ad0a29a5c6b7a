"""Second factors: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class SecondFactorsPage(PageContext):
    """Second factors, of everybody: is each sign-in really made with two, and where is more asked?

    `bases`: list of {word, means, people, sessions (of the last 30 days), weak (bool)}
    `own`: list of {word, people}
    `without`: list of {id, name}: the first of those who have no factor of their own and were not attested one
    `rules`: list of {resource, words}: the first of the resources that ask for more
    `exceptions`: list of {person {id, name}, ends, by}: in force
    `gains`: list of {decider {id, name}, gainer {id, name}, makers (list of {id, name}), times, last, replaced
        (bool)}: who decided for whom, while both had enrolled by links of the same makers
    `oldest`: the age at which a factor opens nothing any more
    """

    template: ClassVar = "second_factors.html"

    bases: list[Context]
    people: int
    never: int
    without_total: int
    rules_total: int
    resources: int
    sessions: int
    sessions_without: int
    machines: int
    machine_sessions: int
    own: list[Context]
    without: list[Context]
    rules: list[Context]
    exceptions: list[Context]
    exceptions_waiting: int
    gains: list[Context]
    oldest: str
