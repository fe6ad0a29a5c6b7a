"""Who gains and loses by a change, in words."""

from onepam.console.matrix.changes import effects
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.matrix.gains import Difference
from onepam.domain.matrix.matrix import BindingDefinition, Matrix
from onepam.domain.matrix.plan import Plan
from onepam.kernel.clock import DAY, HOUR, Instant


def bound(binding: str, role: str, kind: SubjectKind, subject: str, ends: int | None) -> BindingDefinition:
    return BindingDefinition(binding, role, kind, subject, None if ends is None else Instant(ends), "")


def test_a_role_that_is_newly_given_for_a_time_says_until_when() -> None:
    person, group = SubjectKind.PERSON, SubjectKind.GROUP
    kept = bound("bnd_1", "kept", person, "eve", 30 * DAY)
    given = (
        bound("bnd_2", "day", person, "eve", 31 * DAY),
        bound("bnd_3", "hour", group, "staff", 31 * DAY + HOUR),
        bound("bnd_4", "standing", person, "eve", None),
    )
    groups = {"staff": {"max": "", "eve": ""}}
    before = Matrix(groups, {}, {}, {kept.binding: kept})
    after = Matrix(groups, {}, {}, {each.binding: each for each in (kept, *given)})
    more = Difference(("eve", "max"), (), (), (ConsoleRight.AUDIT,), (), (), ())
    less = Difference(("vic",), (), (), (), (ConsoleRight.AUDIT,), (), ())
    eve, max_, vic = effects(Plan(before, after, "", "", (), (more, less), ()), {"eve": "Eve Example"})
    assert eve["person"] == {"id": "eve", "name": "Eve Example"}
    day, hour = "the role day until 31 January 1970", "the role hour until 1 February 1970 01:00 UTC"
    assert eve["gains"][:-1] == [day, hour]
    assert max_["gains"][:-1] == [hour]
    assert (vic["gains"], len(vic["loses"])) == ([], 1)
