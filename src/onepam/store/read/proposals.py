"""What waits for two people: every proposal of every kind, and which of them somebody may decide on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, fallen, judge
from onepam.domain.sessions.clients import Client
from onepam.domain.sessions.clients import read as read_client
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Row, row
from onepam.store.engine.tables import AT
from onepam.store.facts.erasing import kind_at, lines_of, lines_that_stay
from onepam.store.facts.holdings import hands, held_roles
from onepam.store.facts.proposals import (
    STANDS,
    count_proposals_for,
    proposal_of,
    proposals_for,
    proposals_of,
)
from onepam.store.read.names import Called

BEGINNING = Instant(0)
MOST = 200
"""Proposals that a list gives at most."""
MOST_DOCUMENTS, MOST_LINES, MOST_CHARACTERS = 10, 3, 120
"""Of an erasure a list shows so many documents, lines of each, and characters of a line."""

Fact = tuple[str, str]
"""A word, and what stands beside it."""


@dataclass(frozen=True, slots=True)
class WaitingProposal:
    """A proposal as one reader sees it: a `title`, and what it says in `facts`.

    `decides`: the reader may say yes, once they have shown a factor as fresh as its kind asks; else they may only take
    it back, or cancel what is for themselves. `digest` is that of a change of the matrix, else "".
    """

    proposal: Proposal
    title: str
    facts: tuple[Fact, ...]
    by_name: str
    person_name: str
    digest: str
    decides: bool


def proposal_kind(db: Snapshot, at: Instant, proposal: str) -> ProposalKind | None:
    """Of what kind the proposal of that id is that has not ended; None where there is none."""
    return next((kind for kind in STANDS if proposal_of(db, kind, proposal, at) is not None), None)


def standing(db: Snapshot, at: Instant, kind: ProposalKind) -> list[Proposal]:
    """All of the kind that have not ended, the oldest first; some may be void, and wait for the sweep."""
    return proposals_of(db, kind, at)


def proposed_enrolment(db: Snapshot, at: Instant, person: str) -> Proposal | None:
    """The proposal of new factors for the person that waits. What has lapsed may stand beside it, until it is swept."""
    of_theirs = (each for each in standing(db, at, ProposalKind.ENROLMENT) if each.person == person)
    return next((each for each in of_theirs if fallen(each, at) is None), None)


def proposed_erasure(db: Snapshot, at: Instant, erasure: str) -> Proposal | None:
    """The proposal of an erasure while it waits."""
    found = proposal_of(db, ProposalKind.ERASURE, erasure, at)
    return found if found is not None and fallen(found, at) is None else None


def count_proposals(db: Snapshot, at: Instant, person: str, kind: ProposalKind | None = None) -> int:
    """How many proposals, of that kind or of any, wait for the person's decision."""
    reader = _reader(db, at, person)
    kinds = [each for each in _decided(reader.rights()) if kind in (None, each)]
    return count_proposals_for(db, reader, kinds, at) if kinds else 0


def proposals(
    db: Snapshot,
    at: Instant,
    person: str,
    rights: frozenset[ConsoleRight],
    after: Instant = BEGINNING,
    most: int = MOST,
) -> tuple[WaitingProposal, ...]:
    """Those that the person may decide on, and their own: the oldest first, at most `MOST` that were made later than
    `after`. `rights` are the person's of today: whoever lost a right does not see by it what waited then."""
    reader, called = _reader(db, at, person), Called(db, at)
    kinds = _decided(rights & reader.rights())
    found = proposals_for(db, reader, kinds, at, after, min(most, MOST))
    return tuple(_shown(db, at, each, reader, kinds, called) for each in found)


def proposal(
    db: Snapshot, at: Instant, person: str, rights: frozenset[ConsoleRight], ident: str
) -> WaitingProposal | None:
    """One of those, however many there are; None where it is none of them."""
    kind = proposal_kind(db, at, ident)
    laid = proposal_of(db, kind, ident, at) if kind is not None else None
    if laid is None or fallen(laid, at) is not None:
        return None
    reader = _reader(db, at, person)
    found = _shown(db, at, laid, reader, _decided(rights & reader.rights()), Called(db, at))
    return found if found.decides or _theirs(laid, person) else None


def _decided(rights: frozenset[ConsoleRight]) -> list[ProposalKind]:
    """The kinds that holders of the rights decide on."""
    return [kind for kind, rules in RULES.items() if rules.decides in rights]


def _theirs(laid: Proposal, person: str) -> bool:
    """Whether they made it, or would lose by it."""
    return laid.by == person or (laid.person == person and not RULES[laid.kind].benefits)


def _reader(db: Snapshot, at: Instant, person: str) -> ActorFacts:
    """The reader as if they had shown a factor just now: whether it is fresh is asked when they decide."""
    linked_by, linked_for = hands(db, person, at)
    return ActorFacts(
        person, True, None, FOREVER, at, held_roles(db, person, at), linked_by=linked_by, linked_for=linked_for
    )


def _shown(
    db: Snapshot,
    at: Instant,
    laid: Proposal,
    reader: ActorFacts,
    kinds: list[ProposalKind],
    called: Mapping[str, str],
) -> WaitingProposal:
    title, facts, digest = _says(db, at, laid, called)
    by, whom = called.get(laid.by, laid.by), called.get(laid.person, laid.person)
    decides = laid.kind in kinds and judge(laid, reader, RULES[laid.kind], at) is None
    return WaitingProposal(laid, title, facts, by, whom, digest, decides)


def _says(
    db: Snapshot, at: Instant, proposal: Proposal, called: Mapping[str, str]
) -> tuple[str, tuple[Fact, ...], str]:
    """What it is, what it says, and its digest."""
    found, who = _row(db, at, proposal), called.get(proposal.person, proposal.person)
    match proposal.kind:
        case ProposalKind.SCIM_TOKEN:
            networks, domains = json.loads(found["networks"]), json.loads(found["domains"])
            what = f"SCIM token {found['name']}"
            speaks = ", ".join(domains) or "every mail domain"
            tells = (("Directory", found["provider"]), ("From", ", ".join(networks) or "anywhere"), ("For", speaks))
            return what, tells, ""
        case ProposalKind.PROVIDER:
            domains = json.loads(found["rule"]).get("domains", ())
            return f"Identity provider {found['name']}", (("Speaks for", ", ".join(domains) or "nobody yet"),), ""
        case ProposalKind.SIGNAL_STREAM:
            return f"Signal stream {found['name']}", (("Transmitter", found["issuer"]),), ""
        case ProposalKind.MFA_EXCEPTION:
            said = (("Because", found["reason"] or "erased"), ("Instead", found["control"] or "erased"))
            return f"{who} signs in without a second factor", said, ""
        case ProposalKind.ENROLMENT:
            return f"New factors of {who}", (("Because", found["because"]),), ""
        case ProposalKind.ERASURE:
            said = (("Because", found["because"]), ("Then", "the account never comes back"))
            return f"Erasing what is known of {who}", (*said, *_goes(db, at, found)), ""
        case ProposalKind.STATEMENT:
            name = called.get(proposal.by, proposal.by)
            said = (("Class", ", ".join(json.loads(found["classes"]))), ("Session", found["session"]))
            where = _from_where(db, at, found["session"])
            locks = (("In a transaction", "others wait for what it has locked"),) if found["in_transaction"] else ()
            return f"A statement of {name} as {found['login']} on {found['resource']}", (*said, *where, *locks), ""
        case ProposalKind.CHANGE:
            words = (("Because", found["why"]), ("Ticket", found["ticket"]))
            why = tuple((word, str(text)) for word, text in words if text)
            title = f": {found['title']}" if found["title"] else ""
            return f"Change of the role matrix{title}", (*why, ("What", found["summary"])), found["digest"]


def _from_where(db: Snapshot, at: Instant, session: str) -> tuple[Fact, ...]:
    """Of a statement's session: the database that it began in, its client, and where that is."""
    of = {"session": session, "at": at}
    found = row(db, f"SELECT client, source FROM session WHERE session = :session AND {AT}", of)
    client = read_client(found["client"] or "") if found is not None else Client("")
    source = (found["source"] or "") if found is not None else ""
    said = (("Began in", client.database), ("Client", client.name), ("From", source))
    return tuple((word, text) for word, text in said if text)


def _goes(db: Snapshot, at: Instant, found: Row) -> list[Fact]:
    """What an erasure takes: how many payloads of which kinds; and the lists and files that go whole, each with the
    lines for which it does, as a name may be a word. Such lines of the file in force stay, and are shown."""
    indexes, counts = json.loads(found["documents"]), json.loads(found["counts"])
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in counts.items())
    said = [("Entries about them that are emptied", f"{sum(counts.values()):,} ({kinds})")] if counts else []
    said += [("Whole documents that go", f"{len(indexes)}, with all that they say of others" if indexes else "none")]
    for index in indexes[:MOST_DOCUMENTS]:
        said.append((f"Entry {index}, {kind_at(db, index)}", _quoted(lines_of(db, found["person"], index)) or "gone"))
    if len(indexes) > MOST_DOCUMENTS:
        said.append(("And", f"{len(indexes) - MOST_DOCUMENTS} more, by the entry of the proposal"))
    stay = lines_that_stay(db, at, found["person"])
    said += [(f"Entry {index}, {kind_at(db, index)}, stays", _quoted(lines)) for index, lines in stay]
    return said


def _quoted(lines: tuple[str, ...]) -> str:
    shown = [f"“{each[:MOST_CHARACTERS]}”" for each in lines[:MOST_LINES]]
    return ", ".join([*shown, *([f"{len(lines) - len(shown)} more lines"] if len(lines) > len(shown) else [])])


def _row(db: Snapshot, at: Instant, proposal: Proposal) -> Row:
    it = STANDS[proposal.kind]
    found = row(
        db,
        f"SELECT * FROM {it.table} WHERE {it.proposal} = :proposal AND {AT}",
        {"proposal": proposal.proposal, "at": at},
    )
    assert found is not None  # it was read a moment ago, from the same snapshot
    return found
