"""Facts of reviews: what everybody holds, whose an item is, what was decided, and what is withheld."""

import json
from collections.abc import Iterable

from onepam.app.ports import Snapshot
from onepam.app.reviews.close_review import ClosingQuery, GivenUpQuery, RemindingQuery
from onepam.app.reviews.decide_item import ItemQuery
from onepam.app.reviews.open_review import OpeningQuery
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import ONE_HAND, acts_as_manager
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.event import decoder
from onepam.domain.people.events import PersonKind
from onepam.domain.reviews.advice import against
from onepam.domain.reviews.answering import Chain
from onepam.domain.reviews.closing import MOST_AT_ONCE, ClosingFacts, GivenUpFacts, takes
from onepam.domain.reviews.deciding import ItemFacts, ReviewFacts, Withholding
from onepam.domain.reviews.events import Answers, Scope, Stage, Verdict, Withheld
from onepam.domain.reviews.figures import Decision
from onepam.domain.reviews.opening import OpeningFacts
from onepam.domain.reviews.population import (
    SYSTEM,
    Item,
    beyond_in_scope,
    in_scope,
    is_beyond,
    population,
    unbound,
)
from onepam.domain.reviews.reminding import STAGES, RemindingFacts, Waits
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people, schedules
from onepam.store.facts.directory_brake import administrators, who_can_decide
from onepam.store.facts.holders import IN_FORCE, MEMBER
from onepam.store.facts.holdings import actor_facts, bound_roles, hands, is_here, person_kind
from onepam.store.facts.review_advice import Circumstances
from onepam.store.facts.review_triggers import triggered
from onepam.store.facts.systems import held_beyond, still_held

_scope = decoder(Scope)

MOST_REMEMBERED = 8
"""Reviews whose items are kept in memory, by the digest over all that they are: what it names cannot change."""

_remembered: dict[str, tuple[Item, ...]] = {}

_NOTHING_GIVES = f"""
SELECT w.person, w.role, w.review FROM role_withheld w
WHERE w.valid_from <= :at AND :at < w.valid_until AND NOT EXISTS (
    SELECT 1 FROM binding b WHERE b.subject = w.person AND b.subject_kind = 'person' AND b.role = w.role AND {IN_FORCE})
AND NOT EXISTS (
    SELECT 1 FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group' AND {IN_FORCE}
    WHERE m.person = w.person AND b.role = w.role AND {MEMBER})
ORDER BY 1, 2 LIMIT {MOST_AT_ONCE}"""


@loads(OpeningQuery)
def opening(db: Snapshot, query: OpeningQuery, at: Instant) -> OpeningFacts:
    had = rows(db, f"SELECT period FROM review WHERE period <> '' AND {AT}", {"at": at})
    running = row(db, f"SELECT count(*) FROM review WHERE closed IS NULL AND {AT}", {"at": at})
    first = row(db, "SELECT time FROM entry WHERE idx = 0")
    return OpeningFacts(
        actor=actor_facts(db, query.actor, at) if query.actor else None,
        matrix=matrix(db, at),
        people=people(db, at),
        periods=frozenset(each["period"] for each in had),
        open=running[0] if running else 0,
        founded=first["time"] if first else at,
        schedules=schedules(db, at),
        triggered=triggered(db, at) if query.triggered else {},
        beyond=held_beyond(db, at),
    )


@loads(ItemQuery)
def item(db: Snapshot, query: ItemQuery, at: Instant) -> ItemFacts:
    of = {"review": query.review, "person": query.person, "role": query.role, "at": at}
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", of)
    listed = found is not None and _listed(db, found, query.person, query.role)
    chain = _chain(db, found, query, at) if found is not None and listed else None
    decided = row(
        db,
        f"SELECT verdict FROM review_decision WHERE review = :review AND person = :person AND role = :role AND {AT}",
        of,
    )
    withheld = row(db, f"SELECT * FROM role_withheld WHERE person = :person AND role = :role AND {AT}", of)
    elsewhere = (
        withheld is not None and withheld["review"] == query.review and _removed_elsewhere(db, query, withheld, at)
    )
    holds = [each for each in bound_roles(db, query.person, at) if each.role == query.role]
    administers = any(ConsoleRight.ADMINISTER in each.console for each in holds)
    return ItemFacts(
        actor=actor_facts(db, query.actor, at),
        review=review_of(found) if found is not None else None,
        chain=chain,
        verdict=Verdict(decided["verdict"]) if decided else None,
        held=bool(holds),
        withheld=Withholding(withheld["review"], Withheld(withheld["because"])) if withheld else None,
        last=administers and not withheld and not who_can_decide(db, at) - {query.person},
        elsewhere=elsewhere,
        alone=chain is not None and query.actor.person == query.person and not _others(db, query.person, at),
        named_may=chain is not None and bool(query.to) and chain.may(query.to),
        administers=administers,
        ends=_ends(holds),
        reduced=row(db, f"SELECT 1 FROM role_reduced WHERE person = :person AND role = :role AND {AT}", of) is not None,
        against=against(Circumstances(db, at).use(query.person, query.role), at),
    )


def _ends(holds: Iterable[HeldRole]) -> Instant | None:
    """When the last of these ends; None where one has no end, or there is none."""
    ends = [each.ends for each in holds]
    return max((each for each in ends if each is not None), default=None) if None not in ends else None


@loads(ClosingQuery)
def closing(db: Snapshot, query: ClosingQuery, at: Instant) -> ClosingFacts:
    of = {"review": query.review, "at": at}
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", of)
    if found is None:
        return ClosingFacts(None, (), frozenset(), frozenset(), frozenset(), frozenset())
    decided = rows(db, f"SELECT person, role, verdict FROM review_decision WHERE review = :review AND {AT}", of)
    now = matrix(db, at)
    return ClosingFacts(
        review=review_of(found),
        items=items_of(db, found),
        decided=frozenset((each["person"], each["role"], Verdict(each["verdict"])) for each in decided),
        held=frozenset(
            (person, each.role)
            for each in now.bindings.values()
            if each.role in now.roles and each.in_force(at)
            for person in now.members(each)
        ),
        administer=frozenset(name for name, role in now.roles.items() if ConsoleRight.ADMINISTER in role.console),
        administrators=who_can_decide(db, at),
    )


def decisions_of(db: Snapshot, review: str, at: Instant) -> tuple[Decision, ...]:
    """The last decision on each item of a review."""
    found = rows(db, f"SELECT * FROM review_decision WHERE review = :review AND {AT}", {"review": review, "at": at})
    return tuple(
        Decision(each["person"], each["role"], Verdict(each["verdict"]), each["decider"], each["decided"])
        for each in found
    )


def withheld_of(db: Snapshot, review: str, at: Instant) -> frozenset[tuple[str, str]]:
    """What was removed in a review and is withheld now, after whichever review; or in another system still."""
    found = rows(
        db,
        "SELECT d.person, d.role FROM review_decision d JOIN role_withheld w ON w.person = d.person "
        "AND w.role = d.role AND w.valid_from <= :at AND :at < w.valid_until WHERE d.review = :review "
        "AND d.valid_from <= :at AND :at < d.valid_until",
        {"review": review, "at": at},
    )
    withheld = frozenset((each["person"], each["role"]) for each in found)
    it = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", {"review": review, "at": at})
    return withheld | not_remediated(db, it, at) if it is not None and it["beyond"] else withheld


def not_remediated(db: Snapshot, found: Row, at: Instant) -> frozenset[tuple[str, str]]:
    """What a review removed of other systems and is there still."""
    decided = decisions_of(db, found["review"], at)
    removed = {(each.person, each.role) for each in decided if each.verdict is Verdict.REMOVE and is_beyond(each.role)}
    return (
        still_held(db, at, (each for each in items_of(db, found) if (each.person, each.role) in removed))
        if removed
        else frozenset()
    )


@loads(RemindingQuery)
def reminding(db: Snapshot, query: RemindingQuery, at: Instant) -> RemindingFacts:
    of = {"review": query.review, "at": at}
    found = row(db, f"SELECT * FROM review WHERE review = :review AND {AT}", of)
    if found is None:
        return RemindingFacts(None, None, {})
    decided = rows(db, f"SELECT person, role FROM review_decision WHERE review = :review AND {AT}", of)
    said, review = {(each["person"], each["role"]) for each in decided}, review_of(found)
    waiting = [each for each in items_of(db, found) if (each.person, each.role) not in said]
    waits, above = dict[str, Waits](), dict[str, Waits]()
    names = administrators(db, at)  # somebody for what nobody is left to decide on
    for each, chain in zip(waiting, chains(db, found, waiting, at).values(), strict=True):
        decides = chain.decides
        for who in names if decides is None else decides[:1]:
            before = waits.get(who, Waits(0, 0))
            waits[who] = Waits(before.items + 1, before.suspended + takes(review.suspends, each))
        if decides is not None and (following := chain.after(decides[0])) is not None:
            before = above.get(following, Waits(0, 0))
            above[following] = Waits(before.items + 1, before.suspended + takes(review.suspends, each))
    return RemindingFacts(review, last_told(db, query.review, at), waits, above)


def last_told(db: Snapshot, review: str, at: Instant) -> Stage | None:
    """The last stage of a review at which somebody was told what waits for them."""
    of = {"review": review, "at": at}
    told = rows(db, f"SELECT DISTINCT stage FROM review_reminded WHERE review = :review AND {AT}", of)
    stages = {each["stage"] for each in told}
    return next((each for each in reversed(STAGES) if each.value in stages), None)


@loads(GivenUpQuery)
def given_up(db: Snapshot, query: GivenUpQuery, at: Instant) -> GivenUpFacts:
    found = rows(db, _NOTHING_GIVES, {"at": at})
    return GivenUpFacts(tuple((each["person"], each["role"], each["review"]) for each in found))


def review_of(found: Row) -> ReviewFacts:
    """The facts in a row of the table `review`."""
    return ReviewFacts(
        found["review"], found["opened"], found["closes"], Suspends(found["suspends"]), found["closed"] is not None
    )


def scope_of(found: Row) -> Scope:
    """The scope in a row of the table `review`."""
    scope: Scope = _scope(json.loads(found["scope"]))
    return scope


def items_of(db: Snapshot, found: Row) -> tuple[Item, ...]:
    """What a review is of: what the tables say of the instant at which it was opened."""
    opened: Instant = found["opened"]
    items = _remembered.get(found["digest"])
    if items is None:
        beyond = held_beyond(db, opened) if found["beyond"] else {}
        items = population(matrix(db, opened), people(db, opened), scope_of(found), opened, beyond)
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[found["digest"]] = items
    return items


def chains(
    db: Snapshot, found: Row, items: Iterable[Item], at: Instant, reader: str | None = None
) -> dict[tuple[str, str], Chain]:
    """Who may come to decide on each of these items of a review; of those only that may come to the reader, if there is
    one."""
    people_now = f"SELECT person, manager, manager_by, manager_since, owner, enabled, ends, kind FROM person WHERE {AT}"
    above, here = dict[str, tuple[str | None, str | None]](), set[str]()
    for person, manager, said_by, since, sponsor, enabled, ends, kind in rows(db, people_now, {"at": at}):
        above[person] = manager if manager and acts_as_manager(manager, said_by, since, at) else None, sponsor
        if enabled and (ends is None or ends > at) and kind != PersonKind.SERVICE:
            here.add(person)
    owners = {each["role"]: each["owner"] for each in rows(db, f"SELECT role, owner FROM role WHERE {AT}", {"at": at})}
    systems = rows(db, f"SELECT system, owner FROM account_system WHERE {AT}", {"at": at})
    owners |= {SYSTEM + each["system"]: each["owner"] for each in systems}
    passed = rows(
        db, f"SELECT person, role, passed_to FROM review_passed WHERE review = :review AND {AT}",
        {"review": found["review"], "at": at},
    )  # fmt: skip
    named = {(each["person"], each["role"]): each["passed_to"] for each in passed}
    linked, fallback, there = _hands_of_all(db, at), found["fallback"], frozenset(here)
    made, alike = dict[tuple[str, str], Chain](), dict[tuple[object, ...], Chain]()
    for each in items:
        key = each.person, each.role
        manager, sponsor = above.get(each.person, (None, None))
        to, owner = named.get(key), owners.get(each.role)
        if reader is None or reader in (to, manager, sponsor, owner, fallback):
            same = each.person, to, owner, each.version == ""  # what is of no role has no version
            if (chain := alike.get(same)) is None:
                hands_of = linked.get(each.person, frozenset())
                chain = Chain(each.person, to, manager, sponsor, owner, fallback, there, hands_of, _owns(each.role))
                alike[same] = chain
            made[key] = chain
    return made


def _owns(role: str) -> Answers:
    return Answers.SYSTEM_OWNER if is_beyond(role) else Answers.ROLE_OWNER


def _hands_of_all(db: Snapshot, at: Instant) -> dict[str, frozenset[str]]:
    """Of everybody who has any: who may be one hand with them, as `hands` says it of one."""
    near: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    lately = f"SELECT maker, person FROM hand WHERE since > :since AND {AT}"
    for maker, person in rows(db, lately, {"since": at - ONE_HAND, "at": at}):
        near[0].setdefault(person, set()).add(maker)
        near[1].setdefault(maker, set()).add(person)
    found: dict[str, set[str]] = {}
    for links in near:
        for who in links:
            reached, todo = {who}, [who]
            while todo:
                new = links.get(todo.pop(), set()) - reached
                reached |= new
                todo += new
            found.setdefault(who, set()).update(reached - {who})
    return {who: frozenset(linked) for who, linked in found.items()}


def _chain(db: Snapshot, found: Row, query: ItemQuery, at: Instant) -> Chain:
    of = {"review": query.review, "person": query.person, "role": query.role, "at": at}
    said = f"SELECT manager, manager_by, manager_since, owner FROM person WHERE person = :person AND {AT}"
    who = row(db, said, of)
    system = query.role.removeprefix(SYSTEM)
    role = row(
        db,
        f"SELECT owner FROM role WHERE role = :role AND {AT}"
        if system == query.role
        else f"SELECT owner FROM account_system WHERE system = :system AND {AT}",
        of | {"system": system},
    )
    passed = row(
        db,
        f"SELECT passed_to FROM review_passed WHERE review = :review AND person = :person AND role = :role AND {AT}",
        of,
    )
    named, owner, fallback = passed["passed_to"] if passed else None, role["owner"] if role else None, found["fallback"]
    manager, sponsor = (who["manager"], who["owner"]) if who else (None, None)
    if who is not None and manager and not acts_as_manager(manager, who["manager_by"], who["manager_since"], at):
        manager = None
    asked = [each for each in (named, manager, sponsor, owner, fallback, query.to) if each]
    return Chain(
        person=query.person,
        named=named,
        manager=manager,
        sponsor=sponsor,
        owner=owner,
        fallback=fallback,
        here=frozenset(each for each in asked if is_here(db, each, at) and not _is_service(db, each, at)),
        hands=frozenset().union(*hands(db, query.person, at)),
        owns=_owns(query.role),
    )


def _is_service(db: Snapshot, person: str, at: Instant) -> bool:
    return person_kind(db, person, at) is PersonKind.SERVICE


def _others(db: Snapshot, person: str, at: Instant) -> bool:
    """Whether anybody else who is here administers."""
    return any(is_here(db, each, at) for each in administrators(db, at) - {person})


def _removed_elsewhere(db: Snapshot, query: ItemQuery, withheld: Row, at: Instant) -> bool:
    """Whether another review's removal stands that was decided while this one withheld the role already."""
    found = row(
        db,
        "SELECT 1 FROM review_decision WHERE person = :person AND role = :role AND review <> :review "
        f"AND verdict = '{Verdict.REMOVE}' AND decided > :since AND {AT}",
        {"person": query.person, "role": query.role, "review": query.review, "since": withheld["withheld"], "at": at},
    )
    return found is not None


def _listed(db: Snapshot, found: Row, person: str, role: str) -> bool:
    """Whether the review has that item, asked of what concerns it only."""
    opened, scope = found["opened"], scope_of(found)
    of = {"person": person, "role": role, "at": opened}
    there = f"SELECT 1 FROM person WHERE person = :person AND enabled = 1 AND (ends IS NULL OR ends > :at) AND {AT}"
    if row(db, there, of) is None:
        return False
    if is_beyond(role):
        return bool(found["beyond"]) and _listed_beyond(db, scope, person, role, opened)
    if row(db, f"SELECT 1 FROM role_withheld WHERE person = :person AND role = :role AND {AT}", of) is not None:
        return False
    named = json.dumps(scope.resources)
    labels = {
        each["resource"]: json.loads(each["labels"])
        for each in rows(
            db,
            f"SELECT resource, labels FROM resource WHERE resource IN (SELECT value FROM json_each(:named)) AND {AT}",
            {"named": named, "at": opened},
        )
    }
    return any(
        in_scope(scope, person, role, each.permissions, each.console, labels)
        for each in bound_roles(db, person, opened)
        if each.role == role
    )


def _listed_beyond(db: Snapshot, scope: Scope, person: str, system: str, opened: Instant) -> bool:
    """Whether the person held something in another system that a review of that scope is of."""
    ways = held_beyond(db, opened, person).get((person, system), ())
    named = json.dumps([each.group for each in ways if not each.binding])
    bound = rows(
        db,
        "SELECT DISTINCT b.subject FROM binding b JOIN role r ON r.role = b.role "
        "AND r.valid_from <= :at AND :at < r.valid_until WHERE b.subject_kind = 'group' AND "
        f"b.subject IN (SELECT value FROM json_each(:named)) AND {IN_FORCE}",
        {"named": named, "at": opened},
    )
    return beyond_in_scope(scope, person, system) and bool(unbound(ways, {each["subject"] for each in bound}))
