"""The access model: resources, roles and what binds them to people.

A *role* is a job function; its *permissions* say which actions on which resources (by label) under which *logins* (the
accounts on the target), standing or on request. A *binding* gives a role to a person or a group for an interval. What
is only *on request* needs a *grant* (domain/requests/events.py). The matrix of roles is a file, `access.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from onepam.domain.access.asked import PLAINLY, Asking
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.hours import Schedule
from onepam.domain.access.unsaid import without_unsaid
from onepam.domain.history.event import plain
from onepam.kernel.canonical import encode
from onepam.kernel.clock import HOUR

MAX_SESSION = 12 * HOUR
"""No session outlives this, whatever a role says (microseconds)."""


class ResourceKind(StrEnum):
    """What a resource speaks."""

    SSH = "ssh"
    POSTGRES = "postgres"
    MYSQL = "mysql"


class Action(StrEnum):
    """What may be done on a resource; each protocol admits only what the permit names. `local_forwarding`: to connect
    to ports of the target's loopback (`ssh -L`, `-W`, `-D`), of which no content is recorded. `unmasked`: to see a
    database's masked columns as they are; `local_files`: to load files of the client's (LOAD DATA LOCAL). Both give
    nothing without `query`."""

    SHELL = "shell"
    EXEC = "exec"
    SFTP = "sftp"
    LOCAL_FORWARDING = "local_forwarding"
    QUERY = "query"
    UNMASKED = "unmasked"
    LOCAL_FILES = "local_files"


@dataclass(frozen=True, slots=True)
class Substance:
    """What is asked, exactly: an approval holds for this and nothing else. `duration` is in microseconds, `guardrails`
    are those that the permission had when it was asked for. `schedule` is None where it begins with the approval and
    may be used at any hour."""

    person: str
    resource: str
    login: str
    role: str
    role_version: str
    permission: str
    actions: tuple[Action, ...]
    duration: int
    guardrails: Guardrails | None = None
    schedule: Schedule | None = None

    def digest(self) -> str:
        """Hex SHA-256 of the canonical form: what an approver's decision is bound to."""
        said = plain(self)
        assert isinstance(said, dict)  # of a record
        return sha256(encode(without_unsaid(said))).hexdigest()


class Mode(StrEnum):
    """Whether a permission is in force by its binding alone, or only under an approved grant."""

    STANDING = "standing"
    REQUEST = "request"


class Recording(StrEnum):
    """How much of a command's input and output is kept; a terminal's is whole. `head_tail`: see `recording.volume`."""

    WHOLE = "whole"
    HEAD_TAIL = "head_tail"


class ConsoleRight(StrEnum):
    """What a role may do with OnePAM itself. Everybody may always request and see what is their own."""

    ADMINISTER = "administer"
    APPROVE = "approve"
    AUDIT = "audit"
    MONITOR = "monitor"
    ACCEPT_RISK = "accept_risk"


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on every resource whose labels contain `where`, as any of `logins` (`*` for every login of it).

    `longest` is in microseconds. `approvers` are roles whose holders may approve; at least one when mode is `request`.
    `recording` is None where it follows from whether the session is privileged. `guardrails` are for databases; None
    where the rights of the login are the only bound. `asking` is None where it is asked for plainly.
    """

    name: str
    actions: tuple[Action, ...]
    where: Mapping[str, str]
    logins: tuple[str, ...]
    mode: Mode
    longest: int
    approvers: tuple[str, ...] = ()
    administrative: bool = False
    recording: Recording | None = None
    guardrails: Guardrails | None = None
    asking: Asking | None = None

    @property
    def asks(self) -> Asking:
        """How it may be asked for."""
        return self.asking or PLAINLY

    @property
    def all_deciders(self) -> tuple[str, ...]:
        """The roles whose holders may come to decide."""
        return tuple(dict.fromkeys((*self.approvers, *self.asks.then)))

    def deciders(self, made: int, now: int) -> tuple[str, ...]:
        """The roles whose holders may decide `now` on what was asked for at `made`."""
        escalated = bool(self.asks.escalates) and now >= made + self.asks.escalates
        return self.all_deciders if escalated else self.approvers

    def covers(self, resource_labels: Mapping[str, str]) -> bool:
        """Whether a resource with these labels is in the selector. An empty selector covers nothing."""
        return bool(self.where) and self.where.items() <= resource_labels.items()

    def admits(self, login: str, resource_logins: tuple[str, ...]) -> bool:
        """Whether the login is both the resource's and the permission's."""
        return login in resource_logins and (login in self.logins or "*" in self.logins)

    def privileged(self, resource_labels: Mapping[str, str]) -> bool:
        """Marked administrative, or reaching production."""
        return self.administrative or resource_labels.get("env") == "prod"

    def may_be_privileged(self) -> bool:
        """Whether it is privileged on some resource that may come: its selector does not keep it from production."""
        return self.administrative or self.where.get("env", "prod") == "prod"


def permission_of(permissions: tuple[Permission, ...], name: str) -> Permission | None:
    """The permission of that name, if the role has one."""
    return next((each for each in permissions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class MfaRule:
    """What a resource asks of the second factor beyond the product's own rule; domain/access/mfa_rule.py judges by it.

    `max_age` is in microseconds, None for the product's. `phishing_resistant`: a passkey, or what a provider attests as
    one. `fresh`: shown for this very session, and for no other.
    """

    max_age: int | None = None
    phishing_resistant: bool = False
    fresh: bool = False


ENVIRONMENT = ("LANG", "LC_*")
"""What sshd is commonly set to accept (AcceptEnv)."""


class SubjectKind(StrEnum):
    """To whom a binding gives its role."""

    PERSON = "person"
    GROUP = "group"
