"""What the reader may say to a proposal: for the one form on it (`parts/decision.html`), whichever page shows it."""

from dataclasses import replace

from onepam.console.frame.page import Context
from onepam.console.frame.visit import Visit
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.proof import MfaBasis
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, judge, may_deny
from onepam.kernel.clock import Instant
from onepam.store.read.proposals import standing


async def decisions(visit: Visit, kind: ProposalKind) -> dict[str, Context]:
    """The form on each proposal of the kind that stands, by its id."""
    found = await visit.services.reader(standing, visit.at, kind)
    return {each.proposal: decision(each, visit.me.facts, visit.as_of or visit.now) for each in found}


def decision(proposal: Proposal, reader: ActorFacts, now: Instant) -> Context:
    """The form on one: {id, digest, decides, denies, mine, stale (bool), why_not}.

    `decides`: the reader may say yes, after a fresh factor where theirs is `stale`; `why_not` says why they may not.
    """
    rules = RULES[proposal.kind]
    no = judge(proposal, replace(reader, mfa_at=now, basis=MfaBasis.OWN), rules, now)
    return {
        "id": proposal.proposal,
        "digest": "",
        "decides": no is None,
        "denies": may_deny(proposal, reader, rules),
        "mine": proposal.by == reader.person,
        "stale": no is None and judge(proposal, reader, rules, now) is not None,
        "why_not": no.refused.message if no is not None else "",
    }
