"""Roles suggested from use: people of one manager who use the same logins on the same resources, as lines of a file.

A suggestion is for a person to read: it says what was used, in the narrowest selector that there is, and names what
that selector would open beside it. Nobody gains anything by it until somebody puts it into `access.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import Action
from onepam.domain.matrix.matrix import ResourceDefinition

FEW = 3
"""Fewer people than this make no role."""

ASKED_BY_NAME = frozenset({Action.LOCAL_FORWARDING})
"""What leads around what is recorded: nobody is given it because of what else they used."""

Pair = tuple[str, str]
"""A resource and a login on it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Resources of one kind that were used as one login: the labels by which they are selected, and which others these
    select."""

    login: str
    actions: tuple[Action, ...]
    where: Mapping[str, str]
    resources: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What these people, who have one manager, all used, and nothing else."""

    manager: str
    people: tuple[str, ...]
    parts: tuple[Part, ...]

    def lines(self, name: str, owner: str) -> str:
        """The role as it would stand in `access.yaml`, asked for by nobody yet: its purpose is for a person to say."""
        found = [f"  {name}:", f'    purpose: "TODO: what {len(self.people)} people do"', f"    owner: {owner}"]
        found.append("    permissions:")
        for number, each in enumerate(self.parts, 1):
            where = ", ".join(f'{key}: "{value}"' for key, value in sorted(each.where.items()))
            found += [
                f"      part-{number}:" + (f"  # opens {len(each.beside)} more" if each.beside else ""),
                f"        actions: [{', '.join(each.actions)}]",
                f"        where: {{{where}}}",
                f'        logins: ["{each.login}"]',
                "        mode: standing",
                "        longest: 8h",
            ]
        return "\n".join(found) + "\n"


def suggestions(
    used: Mapping[str, frozenset[Pair]],
    managers: Mapping[str, str | None],
    resources: Mapping[str, ResourceDefinition],
    exact: Mapping[str, frozenset[Pair]],
) -> tuple[Suggestion, ...]:
    """Of three people or more with one manager who used exactly the same. `exact` has what each role gives that these
    people hold: what one of them gives already is no suggestion."""
    alike: dict[tuple[str, frozenset[Pair]], list[str]] = {}
    for person, pairs in used.items():
        known = frozenset(each for each in pairs if each[0] in resources)
        if (manager := managers.get(person)) and known:
            alike.setdefault((manager, known), []).append(person)
    given = set(exact.values())
    found = []
    for (manager, pairs), people in sorted(alike.items(), key=lambda each: (each[0][0], sorted(each[0][1]))):
        parts = _parts(pairs, resources)
        if len(people) >= FEW and pairs not in given and parts:
            found.append(Suggestion(manager, tuple(sorted(people)), parts))
    return tuple(found)


def _parts(pairs: frozenset[Pair], resources: Mapping[str, ResourceDefinition]) -> tuple[Part, ...]:
    """By login and kind; none where the resources of one have no label in common: no selector is of them all."""
    groups: dict[tuple[str, str], list[str]] = {}
    for resource, login in sorted(pairs):
        groups.setdefault((login, resources[resource].kind.value), []).append(resource)
    found = []
    for (login, _), names in sorted(groups.items()):
        kind = resources[names[0]].kind
        where = dict(set.intersection(*(set(resources[each].labels.items()) for each in names)))
        if not where:
            return ()
        beside = tuple(
            name
            for name, each in sorted(resources.items())
            if name not in names and each.kind is kind and login in each.logins and where.items() <= each.labels.items()
        )
        actions = tuple(each for each in KINDS[kind].actions if each not in KINDS[kind].beside | ASKED_BY_NAME)
        found.append(Part(login, actions, where, tuple(names), beside))
    return tuple(found)
