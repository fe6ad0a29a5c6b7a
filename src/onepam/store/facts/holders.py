"""SQL: who holds a role in force. Every statement that asks it is made of this."""

_AT_OF_B = "b.valid_from <= :at AND :at < b.valid_until"
MEMBER = "m.valid_from <= :at AND :at < m.valid_until"
"""Whether the membership `m` is, as of `:at`."""
IN_FORCE = f"{_AT_OF_B} AND (b.ends IS NULL OR b.ends > :at)"
"""Whether the binding `b` is, as of `:at`."""

PRESENT = "p.enabled = 1 AND (p.ends IS NULL OR p.ends > :at) AND p.valid_from <= :at AND :at < p.valid_until"
"""Whether the person `p` may sign in, as of `:at`."""


def not_withheld(person: str) -> str:
    """Whether no review withholds the role of the binding `b` from whom the column names, as of `:at`."""
    return (
        f"NOT EXISTS (SELECT 1 FROM role_withheld w WHERE w.person = {person} AND w.role = b.role "
        "AND w.valid_from <= :at AND :at < w.valid_until)"
    )


def holders(which: str, also: str = "") -> str:
    """Each `person` who holds, directly or through a group, a role of those that the condition `which` on the binding
    `b` names, once for each different `also` (further columns of the binding, as `b.role, `). Whoever has left, and
    whoever is under a hold, is among them; from whom a review withholds the role is not."""
    return f"""
    SELECT {also}b.subject AS person FROM binding b WHERE {which} AND b.subject_kind = 'person' AND {IN_FORCE}
    AND {not_withheld("b.subject")}
    UNION
    SELECT {also}m.person FROM binding b JOIN group_member m ON m.grp = b.subject AND {MEMBER}
    WHERE {which} AND b.subject_kind = 'group' AND {IN_FORCE}
    AND {not_withheld("m.person")}
    """
