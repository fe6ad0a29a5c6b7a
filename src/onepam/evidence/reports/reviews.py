"""Reviews of access (controls REV-01, REV-02, REV-06): one row for each that was opened in the period, to its end."""

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "reviews"
HEAD, CLOSED, SIGNED = "review.opened", "review.closed", "review.signed_off"
WITHHELD, RETURNED = "role.withheld", "role.returned"

QUERY = """\
SELECT entry, kind, review, kind <> 'review.opened' FROM ev_reviews_v1
WHERE kind IN ('review.opened', 'review.closed', 'review.signed_off', 'role.withheld', 'role.returned')
  AND time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("opened", said("header.time", HEAD)),
    Column("review", said("body.review", HEAD)),
    Column("period", said("body.period", HEAD)),
    Column("scope", said("body.scope", HEAD)),
    Column("items", said("body.items", HEAD)),
    Column("digest", said("body.digest", HEAD)),
    Column("closes", said("body.closes:time", HEAD)),
    Column("suspends", said("body.suspends", HEAD)),
    Column("opened_by", said("body.by", HEAD)),
    Column("opened_by_name", names([(HEAD, "body.by")])),
    Column("fallback", said("body.fallback", HEAD)),
    Column("fallback_name", names([(HEAD, "body.fallback")])),
    Column("closed", said("header.time", CLOSED)),
    Column("kept", said("body.kept", CLOSED)),
    Column("removed", said("body.removed", CLOSED)),
    Column("unanswered", said("body.unanswered", CLOSED)),
    Column("signed_off", said("header.time", SIGNED)),
    Column("signed_off_by", said("body.by", SIGNED)),
    Column("signed_off_by_name", names([(SIGNED, "body.by")])),
    Column("signed_off_note", said("payload.note", SIGNED)),
    Column("not_remediated", said("body.not_remediated", SIGNED)),
    Column("rubber_stamps", said("body.rubber_stamps", SIGNED)),
    Column("withheld", said("header.time", WITHHELD)),
    Column("withheld_from", said("body.person", WITHHELD)),
    Column("withheld_roles", said("body.role", WITHHELD)),
    Column("withheld_because", said("body.because", WITHHELD)),
    Column("returned", said("header.time", RETURNED)),
    Column("returned_to", said("body.person", RETURNED)),
    Column("returned_roles", said("body.role", RETURNED)),
    Column("returned_because", said("body.because", RETURNED)),
)

LINKED = Linked(
    NAME,
    "Reviews of access that were opened in the period, to their end",
    QUERY,
    (HEAD,),
    {HEAD: ("by", "fallback"), SIGNED: ("by",)},
    COLUMNS,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
