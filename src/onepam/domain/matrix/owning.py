"""Who comes to decide on requests by owning a resource, where a permission says `resource:owner`.

Whoever has a resource given to them is given the authority that a role among the approvers would give: it takes a
second person, and neither of the two gains it.
"""

from collections import defaultdict
from collections.abc import Iterator

from onepam.domain.access.asked import OWNER
from onepam.domain.access.model import ConsoleRight
from onepam.domain.matrix.gains import Difference
from onepam.domain.matrix.matrix import Matrix
from onepam.kernel.clock import Instant

_Decides = dict[str, dict[str, set[str]]]
"""By person, by permission (`role/permission`): the resources that they own and decide on requests for."""


def owning(before: Matrix, after: Matrix, now: Instant) -> Iterator[Difference]:
    """Whoever decides as an owner on what they did not before, and whoever does no more on any of it."""
    was, becomes = _decides(before, now), _decides(after, now)
    for person in sorted(was.keys() | becomes.keys()):
        old, new = was.get(person, {}), becomes.get(person, {})
        gained = tuple(sorted(name for name, owned in new.items() if not owned <= old.get(name, set())))
        lost = tuple(sorted(old.keys() - new.keys()))
        if gained or lost:
            yield Difference((person,), (), (), (), (), gained, lost)


def _decides(matrix: Matrix, now: Instant) -> _Decides:
    owned: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for name, resource in matrix.resources.items():
        for label in resource.labels.items():
            owned[label].add(name)
    approve = frozenset(name for name, role in matrix.roles.items() if ConsoleRight.APPROVE in role.console)
    may, found = matrix.holding(approve, now).keys(), _Decides()
    for role in matrix.roles.values():
        for each in role.permissions:
            if OWNER in each.all_deciders and each.where:
                for name in set.intersection(*(owned[label] for label in each.where.items())):
                    owner = matrix.resources[name].owner
                    if owner in may:
                        found.setdefault(owner, {}).setdefault(f"{role.role}/{each.name}", set()).add(name)
    return found
