"""Two accounts in one hand that nothing refuses: one decided for the other, and both came by links of a third."""

from dataclasses import dataclass, replace

from onepam.app.ports import Snapshot
from onepam.domain.access.proposal import ONE_HAND
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import hands
from onepam.store.read.names import Called

MOST = 500
"""Decisions that are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class Named:
    """A person."""

    person: str
    name: str


@dataclass(frozen=True, slots=True)
class IndirectGain:
    """`decider` said yes `times` to what `gainer` asked or proposed, or what was for them; `last` is when they did
    last. Each time both had enrolled within `ONE_HAND` by links of `makers`, or of people who had by theirs: whoever
    that is may hold both accounts. `replaced`: the decider's link took the place of factors that they had."""

    decider: Named
    gainer: Named
    makers: tuple[Named, ...]
    times: int
    last: Instant
    replaced: bool


_LATELY = f"(SELECT person FROM hand WHERE since > :since - {ONE_HAND})"
"""Whoever may have been linked when one of these decisions was made: of the many requests only theirs are looked at."""
_FOR_A_SERVICE = (
    "SELECT r.decider, p.owner, r.decided FROM request r JOIN person p ON p.person = r.person "
    f"WHERE r.status = 'approved' AND r.decider IN {_LATELY} AND p.kind = 'service' AND p.owner IS NOT NULL "
    "AND r.valid_from <= :at AND :at < r.valid_until AND p.valid_from <= :at AND :at < p.valid_until"
)
_DECIDED = " UNION ".join(
    (
        (
            "SELECT decider, person AS gainer, decided AS made FROM request WHERE status = 'approved' "
            f"AND decider IN {_LATELY} AND {AT}"
        ),
        _FOR_A_SERVICE,
        "SELECT approved_by, proposed_by, valid_from FROM scim_token WHERE approved_by IS NOT NULL",
        "SELECT approved_by, proposed_by, valid_from FROM provider",
        "SELECT approved_by, proposed_by, valid_from FROM signal_stream",
        "SELECT accepted_by, proposed_by, accepted FROM mfa_exception WHERE accepted_by IS NOT NULL",
        "SELECT accepted_by, person, accepted FROM mfa_exception WHERE accepted_by IS NOT NULL",
        "SELECT opened_by, proposed_by, valid_from FROM enrolment WHERE status = 'open' AND proposed_by IS NOT NULL",
        "SELECT decider, proposer, valid_from FROM change WHERE status = 'applied' AND proposer IS NOT NULL",
    )
)
"""Every yes: who said it, who may have gained, when. Of a change of the matrix that is its proposer."""


def _linked(person: str) -> str:
    """Whether the person had enrolled lately by somebody's link."""
    return (
        f"EXISTS (SELECT 1 FROM hand h WHERE h.person = d.{person} AND h.since > d.made - {ONE_HAND} "
        "AND h.valid_from <= d.made AND d.made < h.valid_until)"
    )


_BOTH_LINKED = (
    f"SELECT d.decider, d.gainer, d.made FROM ({_DECIDED}) d WHERE d.made > :since AND d.made <= :at "
    f"AND d.decider <> d.gainer AND {_linked('decider')} AND {_linked('gainer')} ORDER BY d.made DESC LIMIT {MOST}"
)
_REPLACED = (
    "SELECT 1 FROM hand h JOIN factor f ON f.person = h.person AND f.kind <> 'ssh_key' AND f.valid_from < h.since "
    "WHERE h.person = :person AND h.since > :since AND h.valid_from <= :at AND :at < h.valid_until LIMIT 1"
)


def indirect_gains(db: Snapshot, at: Instant) -> tuple[IndirectGain, ...]:
    """Of the last 30 days, by decider and gainer: replaced factors first, then the latest."""
    found, called = dict[tuple[str, str], IndirectGain](), Called(db, at)
    for each in rows(db, _BOTH_LINKED, {"at": at, "since": at - ONE_HAND}):
        decider, gainer, made = each["decider"], each["gainer"], each["made"]
        makers = set(hands(db, decider, made)[0]) & set(hands(db, gainer, made)[0])
        if not makers:
            continue
        known = found.get((decider, gainer))
        if known is not None:
            found[decider, gainer] = replace(known, times=known.times + 1)
            continue
        named = (Named(one, called.get(one, one)) for one in (decider, gainer, *sorted(makers)))
        of = {"person": decider, "at": made, "since": made - ONE_HAND}
        replaced = row(db, _REPLACED, of) is not None
        found[decider, gainer] = IndirectGain(next(named), next(named), tuple(named), 1, made, replaced)
    return tuple(sorted(found.values(), key=lambda each: (not each.replaced, -each.last)))
