"""What takes two people: what waits for me, and my word on it, whatever its kind."""

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, After, AsOf, Services, Who, done
from onepam.api.models import Answer, Body, Id, MaybeMoment, Moment, Text
from onepam.api.routes.route import Route
from onepam.api.services import ApiServices
from onepam.app.deciding.decide_proposal import Seen, approve_proposal, deny_proposal, unknown_proposal
from onepam.domain.access.proposal import ProposalKind
from onepam.identity.tokens import new_token, token_digest
from onepam.store.read import proposals as rows
from onepam.store.read.changes import change


class Fact(Answer):
    """What a proposal says: a word, and what stands beside it."""

    word: str
    value: str


class ProposalOut(Answer):
    """A proposal that I may decide on (`decides`), or take back. `due`: nobody else could decide, and its proposer may
    carry it out from then on. `digest` is that of a change of the matrix, which a yes is bound to."""

    proposal: str
    kind: ProposalKind
    title: str
    facts: list[Fact]
    by: str
    by_name: str
    person: str | None
    since: Moment
    until: Moment
    due: MaybeMoment
    digest: str
    decides: bool


class YesIn(Body):
    """`digest` of what was shown, where the proposal has one."""

    digest: Text = ""


class NoIn(Body):
    """Words to the proposer; some kinds want them."""

    reason: Text = ""


class Decided(Answer):
    """What is in force. `link` is shown once, where it was one for new factors, and ends at `expires`."""

    proposal: str
    kind: ProposalKind
    link: str | None = None
    expires: MaybeMoment = None


async def list_proposals(caller: Who, services: Services, at: AsOf, after: After) -> list[ProposalOut]:
    """What waits for me, and my own proposals: the oldest first, 200 at a time."""
    found = await services.reader(rows.proposals, at, caller.actor.person, caller.facts.rights(), after)
    return [_out(each, services) for each in found]


async def read_proposal(proposal: Id, caller: Who, services: Services, at: AsOf) -> ProposalOut:
    """One of those."""
    found = await services.reader(rows.proposal, at, caller.actor.person, caller.facts.rights(), proposal)
    if found is None:
        raise ApiError(unknown_proposal(proposal))
    return _out(found, services)


async def agree_to_proposal(proposal: Id, body: YesIn, caller: Who, services: Services) -> Decided:
    """Say yes. The factor must be as fresh as the kind asks: sign in again where it is too old."""
    kind = await _kind(proposal, services)
    found = await services.reader(change, None, proposal) if kind is ProposalKind.CHANGE else None
    token = new_token("enr", services.random)
    seen = Seen(body.digest, found.text if found else "", token_digest(token).hex())
    expires = done(await approve_proposal(services.ledger, caller.actor, kind, proposal, seen))
    if expires is None:
        return Decided(proposal=proposal, kind=kind)
    link = f"{services.console_url}/enrol/{token.reveal().decode('ascii')}"
    return Decided(proposal=proposal, kind=kind, link=link, expires=expires)


async def refuse_proposal(proposal: Id, body: NoIn, caller: Who, services: Services) -> Decided:
    """Say no, take one's own back, or cancel what is for oneself."""
    kind = await _kind(proposal, services)
    done(await deny_proposal(services.ledger, caller.actor, kind, proposal, body.reason))
    return Decided(proposal=proposal, kind=kind)


async def _kind(proposal: str, services: ApiServices) -> ProposalKind:
    found = await services.reader(rows.proposal_kind, None, proposal)
    if found is None:
        raise ApiError(unknown_proposal(proposal))
    return found


def _out(found: rows.WaitingProposal, services: ApiServices) -> ProposalOut:
    it, facts = found.proposal, [Fact(word=word, value=value) for word, value in found.facts]
    if it.kind is ProposalKind.STATEMENT:
        facts += [Fact(word=word, value=value) for word, value in services.statements.facts(it.proposal)]
    return ProposalOut(
        proposal=it.proposal,
        kind=it.kind,
        title=found.title,
        facts=facts,
        by=it.by,
        by_name=found.by_name,
        person=it.person or None,
        since=it.since,
        until=it.until,
        due=it.alone,
        digest=found.digest,
        decides=found.decides,
    )


ROUTES = (
    Route("GET", "/proposals", SIGNED_IN, list_proposals),
    Route("GET", "/proposals/{proposal}", SIGNED_IN, read_proposal),
    Route("POST", "/proposals/{proposal}/approve", SIGNED_IN, agree_to_proposal),
    Route("POST", "/proposals/{proposal}/deny", SIGNED_IN, refuse_proposal),
)
