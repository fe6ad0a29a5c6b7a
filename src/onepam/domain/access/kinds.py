"""What a kind of resource is known by and what may be done on it: the one place where access tells kinds apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.access.model import Action, ResourceKind


@dataclass(frozen=True, slots=True)
class Kind:
    """`pin` is in words what tells a target from another; without one nothing is dialled. `actions` are those that its
    protocol has; of those in `partial` a recording may be kept in part (`recording.volume`), and `guarded` are those
    that guardrails are about. `leased`: the gateway signs in there by a secret of the vault, and a person comes with a
    login token. Those of `beside` give nothing where none of `guarded` is."""

    pin: str
    actions: tuple[Action, ...]
    partial: frozenset[Action] = frozenset()
    guarded: frozenset[Action] = frozenset()
    beside: frozenset[Action] = frozenset()
    leased: bool = False

    def only(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """Those of the actions that such a resource knows: a permission may select resources of several kinds."""
        alone = self.guarded.isdisjoint(actions)
        return tuple([each for each in actions if each in self.actions and not (alone and each in self.beside)])


KINDS: Mapping[ResourceKind, Kind] = {
    ResourceKind.SSH: Kind(
        "host key", (Action.SHELL, Action.EXEC, Action.SFTP, Action.LOCAL_FORWARDING), frozenset({Action.EXEC})
    ),
    ResourceKind.POSTGRES: Kind(
        "TLS certificate",
        (Action.QUERY, Action.UNMASKED),
        guarded=frozenset({Action.QUERY}),
        beside=frozenset({Action.UNMASKED}),
        leased=True,
    ),
    ResourceKind.MYSQL: Kind(
        "TLS certificate",
        (Action.QUERY, Action.UNMASKED, Action.LOCAL_FILES),
        guarded=frozenset({Action.QUERY}),
        beside=frozenset({Action.UNMASKED, Action.LOCAL_FILES}),
        leased=True,
    ),
}
