"""SSH's two legs of a session: a fresh key with a certificate for one session to the target, channels between both."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncssh

from onepam.app.open_session import Opened
from onepam.domain.access.decision import AccessFacts
from onepam.domain.access.model import Action, Recording
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.entering import Proven
from onepam.gateway.probes import Probes
from onepam.gateway.recorder import Recorder
from onepam.gateway.session import Gateway, Legs
from onepam.kernel.clock import MINUTE, Clock, moment
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.algorithms import HostKey
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.forward import Rule
from onepam.protocols.ssh.forwarding import Forwarding
from onepam.protocols.ssh.relay import Relay
from onepam.protocols.ssh.tap import Kind
from onepam.store.read.proofs_of_sign_in import KeyHolder
from onepam.vault.authorities import Authorities, target_principal

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""

_KINDS: dict[Action, Kind] = {Action.SHELL: "pty", Action.EXEC: "exec", Action.SFTP: "sftp"}


@dataclass(frozen=True, slots=True)
class SshGateway:
    """What SSH needs beside the parts that all protocols share. `find_key` says by its fingerprint whose key it is;
    `access` gives the facts of people and targets as they are now; `target_keys` are our host keys, certified for a
    target's name; `at_port` are the addresses of all resources at a port, `machine` those of a host (`Egress.machine`),
    `own_ports` the ports of our listeners; `prober` is the public key of this process's own prober; `wall` the time
    that certificates are judged by."""

    shared: Gateway
    authorities: Authorities
    find_key: Callable[[str], Awaitable[KeyHolder | None]]
    access: Callable[[Sequence[tuple[str, str]]], Awaitable[list[AccessFacts]]]
    target_keys: Callable[[str], Sequence[HostKey]]
    at_port: Callable[[int], Awaitable[Sequence[str]]]
    machine: Callable[[str, int], Awaitable[frozenset[str] | Refused]]
    own_ports: frozenset[int]
    probes: Probes
    prober: bytes
    source_addresses: tuple[str, ...]
    wall: Clock


class SshLegs(Legs[TargetConnection, Relay]):
    """The legs of one person's connection."""

    protocol = "ssh"

    def __init__(self, gateway: SshGateway, client: PersonConnection) -> None:
        self.client: PersonConnection = client
        self._gateway = gateway

    async def dial(self, opened: Opened, address: str) -> TargetConnection | Refused:
        certified = self._gateway.authorities.target.issue(
            opened.session,
            [target_principal(opened.login, opened.resource)],
            self._gateway.source_addresses,
            self._gateway.wall(),
            pty=Action.SHELL in opened.actions,
            port_forwarding=Action.LOCAL_FORWARDING in opened.actions,
        )
        pins = [asyncssh.import_public_key(each) for each in opened.pins]
        return await dial(address, opened.port, opened.login, certified.key, certified.certificate, pins, DIAL_SECONDS)

    def relay(self, opened: Opened, target: "Future[TargetConnection | Refused]", recorder: Recorder) -> Relay:
        kinds = frozenset(_KINDS[action] for action in opened.actions if action in _KINDS)
        excerpt = opened.recording is Recording.HEAD_TAIL
        environment, words = opened.environment, greeting(opened)
        rule: Rule | None = None
        if Action.LOCAL_FORWARDING in opened.actions:
            gateway = self._gateway
            rule = Forwarding(opened, gateway.at_port, gateway.machine, gateway.own_ports).refused
        return Relay(
            self.client, target, recorder, kinds,
            excerpt=excerpt, environment=environment, greeting=words, rule=rule,
        )  # fmt: skip


def greeting(opened: Opened) -> str:
    """What whoever gets a shell is told: that it is recorded, and how long it may last."""
    hours, minutes = divmod((opened.ends - opened.opened) // MINUTE, 60)
    lasts = " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
    return f"OnePAM: recorded, until {moment(opened.ends):%H:%M} UTC (in {lasts or 'less than a minute'})"


def proven_by(holder: KeyHolder) -> Proven:
    """Who a registered key stands for: a service account, or a person who confirms besides."""
    if holder.kind is PersonKind.SERVICE:
        return Proven(holder.person, EntryPoint.SSH_SERVICE_KEY, key=holder.factor)
    return Proven(holder.person, EntryPoint.SSH_KEY_CONFIRMED)
