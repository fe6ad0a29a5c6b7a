"""People: what its templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant
from onepam.store.read.staff import OnRoster


@dataclass(frozen=True, slots=True)
class PeoplePage(PageContext):
    """People: who there is, where from, in what state, and what their second factor rests on.

    `filter`: {q, role, kind, state, origin, factor}: "" or a value of choices
    `choices`: {name: {value: word}}: the filters that are chosen
    `people`: list of {id, name, email, kind, origin (str, "" for the console), roles (list of str), factors (list of
        str), factor_state ("proven" | "untested" | "due" | "plain"), state ("active" | "disabled" | "invited" |
        "ending"), because (str, of a disabled one), privileged (bool), last_sign_in (Instant or none), last_basis
        (str), live (int), ends (Instant, FOREVER), ends_in (str), owner (str)}
    `pager`: of parts/ui.html
    """

    template: ClassVar = "people.html"

    filter: Context
    choices: Context
    people: list[Context]
    pager: Context
    may_add: bool


@dataclass(frozen=True, slots=True)
class PersonPage(PageContext):
    """One person, from joining to leaving.

    `person`: {id, name, email, kind, state, because (str), origin (str), owner (str), manager {id, name} or none,
        joined, ends (FOREVER), ends_in (str), last_sign_in (or none), last_basis (str)}
    `edit`: {name, email, manager, owner (e-mails), ends (a day as fields have it)}
    `duties`: list of {word, name, href, until (Instant or none)}: of somebody who has left, what needs another owner
    `left`: none, or {removed, because, origin, left_at, notified (Instant or none)}
    `erasure`: none, or {status ("proposed" | "approved" | "finished"), because, by, agreed (str, "" while it waits),
        since, payloads (int), decision (parts/decision.html, or none)}: what is known of them is to go, goes, is gone
    `roster`: what the staff roster says of them, or none
    `exception`: none, or {ends, by (str), reason}: the risk that was accepted
    `identities`: list of {provider, user_name, since, because, last (Instant or none)}
    `start`, `end`: the span of the lanes
    `ticks`: list of {at, word}
    `lanes`: list of {word, bars (list of {row (0 = uppermost; bars that overlap take different rows), since, until,
        says, href (or none), state ("proven" | "due" | "finding" | "untested" | "plain"), label}), points (list of
        {at, says, href, state})}
    `bindings`: list of {role, href, way (str: `frame.wording.held_by`), taken (bool: it can be taken here), since, ends
        (FOREVER), because, chain}
    `may_give`: the reader proposes changes; `roles`: list of (role, purpose): those that can be given
    `access`: list of {resource {id, name, kind, labels}, login, how (str), ends, chain}
    `factors`: list of {kind, name, since, state}
    `second_state`: "proven" | "untested" | "due" | "plain"
    `keys`: list of {id, name, fingerprint, networks (list of str), since, waits}: of a service account; one that
    `waits` opens nothing privileged before another administrator registers it, too
    `sessions`: list of {id, resource, login, started, ended, state}
    `access_beyond`: how many more they can reach
    `link`: none, or {url, ends}: a one-use link that was made just now, shown this once
    `waiting`: none, or {alone (Instant or none), decision (parts/decision.html)}: new factors that wait for a second
        administrator, or until `alone`
    `history`: list of {at, words, proof}: what happened to the account, the newest first
    `proof`: of the newest entry about them
    `ends_now`: {sessions, grants, requests} counts
    """

    template: ClassVar = "person.html"

    person: Context
    edit: Context
    may_change: bool
    duties: list[Context]
    left: Context | None
    erasure: Context | None
    may_erase: bool
    roster: OnRoster | None
    exception: Context | None
    may_except: bool
    identities: list[Context]
    start: Instant
    end: Instant
    ticks: list[Context]
    lanes: list[Context]
    bindings: list[Context]
    access: list[Context]
    factors: list[Context]
    second_factors: list[str]
    second_state: str
    keys: list[Context]
    sessions: list[Context]
    access_beyond: int
    link: Context | None
    waiting: Context | None
    may_disable: bool
    may_enrol: bool
    may_give: bool
    roles: Sequence[tuple[str, str]]
    history: list[Context]
    proof: Context
    may_key: bool
    ends_now: Context
