"""Which jobs a process has, and what of the platform each of them is given."""

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from onepam.boot.clock import wall_clock
from onepam.boot.databases import known_by
from onepam.boot.node import hold
from onepam.boot.receivers import receivers_of
from onepam.domain.host.doors import Door
from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.egress.ldap.client import Directory
from onepam.jobs.backups import Backups
from onepam.jobs.controls import ControlTests
from onepam.jobs.crowds import CrowdWatch
from onepam.jobs.erasing import Erasing
from onepam.jobs.expiry import Expiry
from onepam.jobs.handing_out import HandingOut
from onepam.jobs.incidents import IncidentReminders
from onepam.jobs.job import RETRY_SECONDS, Job
from onepam.jobs.outbox import Outbox
from onepam.jobs.policies import PolicyReminders
from onepam.jobs.probing import Listeners, Prober
from onepam.jobs.recording_check import RecordingChecks
from onepam.jobs.release import ReleaseWatch
from onepam.jobs.reviews import Reviewing
from onepam.jobs.roster import RosterJob
from onepam.jobs.session_users import SessionUserSweep
from onepam.store.engine.database import forget

if TYPE_CHECKING:
    from onepam.boot.platform import Platform


def inner_jobs(platform: "Platform", after: int) -> Iterator[Job]:
    """Those that need no listener. Entries from index `after` on are acted upon."""
    ledger, reader, node = platform.ledger, platform.reader, platform.node.name
    doors = platform.doors
    yield Job("live", lambda: platform.live.follow(after), RETRY_SECONDS)
    yield Job("sealing", platform.sealing.run, RETRY_SECONDS)
    yield Job("disk", lambda: platform.disk.run(ledger, node), RETRY_SECONDS)
    yield Expiry(ledger, reader).job()
    yield Reviewing(ledger, reader).job()
    yield ControlTests(ledger, reader).job()
    yield PolicyReminders(ledger, reader).job()
    yield IncidentReminders(ledger, reader).job()
    yield Erasing(ledger, reader, lambda: forget(platform.database), platform.self_check.all_again).job()
    yield Backups(ledger, platform.config.data, node).job()
    yield ReleaseWatch(reader, platform.replaced).job()
    crowds = {Door.SSH: doors.ssh, Door.POSTGRES: doors.postgres, Door.MYSQL: doors.mysql, Door.WEB: doors.web}
    yield CrowdWatch(ledger, reader, node, crowds, doors.known).job()
    yield platform.recovery.job()
    yield platform.self_check.job()
    yield HandingOut(ledger, platform.anchors, platform.config.origin).job()
    yield RecordingChecks(ledger, reader, platform.recordings, platform.recording_key, node, platform.stopping).job()


def outer_jobs(platform: "Platform") -> Iterator[Job]:
    """Those that call out, by the operator's rule for outgoing connections and never to our own listeners; they go on
    until the last session has ended."""
    egress = Egress(platform.config.admitted, own_ports(platform))
    clock = platform.ledger.time
    yield RosterJob(platform.ledger, platform.reader, Fetch(egress), platform.envelope, clock, Directory(egress)).job()
    yield platform.outbox.job()
    users = platform.session_users
    yield SessionUserSweep(platform.reader, platform.node.name, users.sweep, clock).job()


def outbox_of(platform: "Platform") -> Outbox:
    """Whoever tells the receivers of the configuration. Raises `BadConfig`."""
    config = platform.config
    lock = config.data / "outbox.lock"
    return Outbox(
        lambda: hold(lock, create=True),
        receivers_of(config, own_ports(platform)),
        config.url,
        config.origin,
        platform.ledger,
        platform.reader,
        wall_clock,
    )


def own_ports(platform: "Platform") -> frozenset[int]:
    """Where this process listens itself."""
    config = platform.config
    return frozenset({platform.ssh_port, config.console_port, config.postgres_port, config.mysql_port})


def prober_of(platform: "Platform") -> Prober:
    """Whoever asks the listeners of this process."""
    config, tls = platform.config, platform.config.tls
    listeners = Listeners(
        ssh_host=config.ssh_host,
        ssh_port=platform.ssh_port,
        host_key=platform.authorities.gateway_host_key.convert_to_public(),
        key=platform.prober_key,
        console_host=config.console_host,
        console_port=config.console_port,
        certificate=tls[0] if tls else None,
        postgres_host=config.postgres_host,
        postgres_port=config.postgres_port,
        mysql_host=config.mysql_host,
        mysql_port=config.mysql_port,
        database_trusted=lambda: known_by(config, platform.authorities),
    )
    return Prober(
        platform.ledger, platform.reader, platform.probes, listeners, platform.ledger.time, secrets.token_bytes
    )
