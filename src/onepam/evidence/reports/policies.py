"""Policy documents (control CHG-01): one row for each version that was published in the period: who was told to read
it, who confirmed it, and who has not."""

from collections.abc import Mapping, Sequence

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "policies"
HEAD, LOOKED, READ, TOLD = "policy.published", "policy.looked_through", "policy.confirmed", "policy.reminded"

QUERY = """\
SELECT entry, kind, policy || ' ' || version, kind <> 'policy.published' FROM ev_policies_v1
WHERE time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("published", said("header.time", HEAD)),
    Column("policy", said("body.policy", HEAD)),
    Column("version", said("body.version", HEAD)),
    Column("title", said("body.title", HEAD)),
    Column("digest", said("body.digest", HEAD)),
    Column("size", said("body.size", HEAD)),
    Column("media", said("body.media", HEAD)),
    Column("published_by", said("body.by", HEAD)),
    Column("published_by_name", names([(HEAD, "body.by")])),
    Column("owner", said("body.owner", HEAD)),
    Column("owner_name", names([(HEAD, "body.owner")])),
    Column("readers", said("body.readers", HEAD)),
    Column("note", said("payload.note", HEAD)),
    Column("review_by", said("body.review_by:time", HEAD, LOOKED)),
    Column("looked_through", said("header.time", LOOKED)),
    Column("looked_through_by", said("body.by", LOOKED)),
    Column("confirmed", said("header.time", READ)),
    Column("confirmed_by", said("body.by", READ)),
    Column("told", said("header.time", TOLD)),
    Column("told_to", said("body.person", TOLD)),
    Column("outstanding"),
)


def outstanding(scope: Scope, entries: Sequence[int]) -> Mapping[str, str]:
    """Who was told to read it and has not confirmed it, the first told first."""
    kinds = [(scope.entries.kind(each), scope.entries.body(each)) for each in entries]
    read = {body["by"] for kind, body in kinds if kind == READ}
    told = dict.fromkeys(body["person"] for kind, body in kinds if kind == TOLD)
    return {"outstanding": "; ".join(each for each in told if each not in read)}


LINKED = Linked(
    NAME,
    "Policy documents that were published in the period, and who confirmed each",
    QUERY,
    (HEAD,),
    {HEAD: ("by", "owner")},
    COLUMNS,
    outstanding,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
