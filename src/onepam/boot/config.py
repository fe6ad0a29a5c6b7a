"""The operator's configuration: one TOML file, every value with a default that works on one machine."""

import tomllib
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from onepam.boot.credentials import lent
from onepam.domain.host.backups import BACKUP_DAYS, LONGEST_BACKUP_DAYS
from onepam.domain.leaving.erasing import KEEP_DAYS, LONGEST_KEPT
from onepam.egress.egress import Admitted
from onepam.gateway.disk import Marks
from onepam.identity.signals.listener import Listener
from onepam.kernel.errors import Fault


class BadConfig(Fault):
    """The configuration file is wrong; the message says where and what would be right."""


RENAMED = {"ssh_silent_seconds": "silent_seconds"}
"""Settings that had another name; that is still read."""


@dataclass(frozen=True, slots=True)
class Config:
    """What differs between installations.

    `silent_seconds` is how long a client of SSH or of a database may give no sign of life, as a laptop that sleeps.
    `postgres_port` is where clients of PostgreSQL come, 0 for nowhere; `postgres_certificate` and `postgres_key` are
    PEM files that take the place of a certificate by the vault's authority, for all clients of databases. `mysql_port`
    is where clients of MySQL and MariaDB come, 0 for nowhere; `mysql_version` what the listener says that it is, before
    it knows where a client goes.
    `egress` admits networks and ports that outgoing connections would be refused (`127.0.0.1/32:2222`).
    `source_addresses` are the gateway's own as targets see them, in CIDR form. `witness` is the URL of `onepam witness`
    on another host, `witness_key` its vkey. `disk_alarm_mib`, `disk_low_mib` and `disk_reserve_mib` are free space of
    the recordings' disk (`gateway.disk.Marks`). `trusted_proxies` are the networks whose `X-Forwarded-For` and
    `X-Forwarded-Proto` are believed; `signal_receivers` are told of revoked sessions (`NAME AUDIENCE poll`, or
    `NAME AUDIENCE https://…`).
    Notices leave by `mail_server` (`smtps://USER@HOST:465`, `smtp://…` with STARTTLS) from the address `mail_from`,
    alarms to `mail_security` too, by `webhooks` (`NAME https://… FILE-OF-THE-SECRET`), by `syslog`
    (`NAME HOST:6514`) and to `chats` (`NAME slack|teams alarms,requests FILE-OF-THE-ADDRESS`); `notice_ca` (PEM) is
    trusted beside the system's CAs.
    `tls_certificate` and `tls_key` are PEM files for TLS without a proxy. `recovery_key_file` is where the recovery
    key's digest lies (default: beside the data folder).
    `erase_after_days` is for how long after somebody left what is known of them is kept in any case (days).
    `backup_days` is how old the newest backup may be before a light turns; 0 for no light (days).
    `metrics_address` (`HOST:PORT`) is where metrics, health and readiness listen by themselves, `metrics_token_file`
    holds the token that metrics ask for. `drain_seconds` is how long sessions may go on after a stop was asked for.
    """

    data: Path
    environment: str = "production"
    company: str = ""
    origin: str = "onepam.local"
    console_host: str = "127.0.0.1"
    console_port: int = 8443
    console_url: str = ""
    ssh_host: str = "127.0.0.1"
    ssh_port: int = 2022
    silent_seconds: int = 900
    postgres_host: str = "127.0.0.1"
    postgres_port: int = 0
    postgres_certificate: str = ""
    postgres_key: str = ""
    mysql_host: str = "127.0.0.1"
    mysql_port: int = 0
    mysql_version: str = "5.5.5-10.11.0-MariaDB"
    gateway_name: str = "localhost"
    source_addresses: tuple[str, ...] = ("127.0.0.1/32", "::1/128")
    egress: tuple[str, ...] = ()
    disk_alarm_mib: int = 4096
    disk_low_mib: int = 1024
    disk_reserve_mib: int = 256
    signer_socket: str = ""
    witness: str = ""
    witness_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    signal_receivers: tuple[str, ...] = ()
    mail_server: str = ""
    mail_from: str = ""
    mail_password_file: str = ""
    mail_security: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    syslog: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    notice_ca: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    recovery_key_file: str = ""
    metrics_address: str = ""
    metrics_token_file: str = ""
    drain_seconds: int = 0
    erase_after_days: int = KEEP_DAYS
    backup_days: int = BACKUP_DAYS

    @property
    def url(self) -> str:
        """The console's address as a browser types it."""
        return self.console_url or f"{'https' if self.tls_certificate else 'http'}://localhost:{self.console_port}"

    @property
    def marks(self) -> Marks:
        """The marks of the recordings' disk. Raises `BadConfig`."""
        alarm, low, reserve = self.disk_alarm_mib, self.disk_low_mib, self.disk_reserve_mib
        if not alarm > low > reserve > 0:
            raise BadConfig("disk_alarm_mib must be more than disk_low_mib, and that more than disk_reserve_mib")
        return Marks(alarm << 20, low << 20, reserve << 20)

    @property
    def keep_days(self) -> int:
        """For how many days a leaver's data are kept. Raises `BadConfig`."""
        if not 0 <= self.erase_after_days <= LONGEST_KEPT:
            raise BadConfig(f"erase_after_days is a number of days, from 0 to {LONGEST_KEPT}")
        return self.erase_after_days

    @property
    def backed_up_within(self) -> int:
        """How many days old the newest backup may be; 0 where nobody watches. Raises `BadConfig`."""
        if not 0 <= self.backup_days <= LONGEST_BACKUP_DAYS:
            raise BadConfig(f"backup_days is a number of days, from 0 to {LONGEST_BACKUP_DAYS}")
        return self.backup_days

    @property
    def proxies(self) -> tuple[str, ...]:
        """The networks of proxies that are believed, in CIDR form. Raises `BadConfig`."""
        try:
            return tuple(str(ip_network(each)) for each in self.trusted_proxies)
        except ValueError as error:
            raise BadConfig(f"trusted_proxies: {error}; an entry looks like 10.0.0.5/32") from None

    @property
    def tls(self) -> tuple[str, str] | None:
        """The files of certificate and key, or None without TLS of our own. Raises `BadConfig`."""
        return _pair("tls", self.tls_certificate, self.tls_key)

    @property
    def postgres_tls(self) -> tuple[str, str] | None:
        """The files of certificate and key that clients of PostgreSQL are shown; None for the vault's. Raises
        `BadConfig`."""
        return _pair("postgres", self.postgres_certificate, self.postgres_key)

    @property
    def metrics_at(self) -> tuple[str, int] | None:
        """Host and port of the metrics' own listener; None without. Raises `BadConfig`."""
        if not self.metrics_address:
            return None
        try:
            found = urlsplit(f"//{self.metrics_address}")
            host, port = found.hostname, found.port
            near = ip_address(host or "").is_loopback
        except ValueError:
            host, port, near = None, None, False
        if host is None or port is None or found.netloc != self.metrics_address:
            raise BadConfig("metrics_address is an IP address and a port, like 127.0.0.1:9464 or [::1]:9464")
        if not near and not self.metrics_token_file:
            raise BadConfig("metrics_address: one that others reach needs metrics_token_file, too")
        return host, port

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The files that hold a secret each; the service manager may lend them (`credentials.lent`)."""
        hooks = (each.split(maxsplit=2)[2:] for each in self.webhooks)
        chats = (each.split(maxsplit=3)[3:] for each in self.chats)
        files = (self.tls_key, self.postgres_key, self.mail_password_file, self.metrics_token_file)
        return tuple(each for each in (*files, *(file for rest in (*hooks, *chats) for file in rest)) if each)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Who is told of signals, each name once. Raises `BadConfig`."""
        try:
            found = tuple(Listener.parse(each) for each in self.signal_receivers)
        except ValueError as error:
            raise BadConfig(f"signal_receivers: {error}") from None
        if len({each.name for each in found}) != len(found):
            raise BadConfig("signal_receivers: a name stands there twice")
        return found

    @property
    def admitted(self) -> tuple[Admitted, ...]:
        """The parsed exceptions to the egress rule. Raises `BadConfig`."""
        try:
            return tuple(Admitted.parse(each) for each in self.egress)
        except ValueError as error:
            raise BadConfig(f"egress: {error}; an entry looks like 10.0.0.0/8:22") from None


def _pair(what: str, certificate: str, key: str) -> tuple[str, str] | None:
    """The files of a certificate and its key, None where neither is named. Raises `BadConfig`."""
    if not certificate and not key:
        return None
    key = str(lent(key)) if key else ""
    for name, path in ((f"{what}_certificate", certificate), (f"{what}_key", key)):
        if not Path(path).is_file():
            raise BadConfig(f"{name}: there is no file {path!r}; TLS needs both a certificate and its key")
    return certificate, key


def load(path: Path, data: Path) -> Config:
    """The configuration of a TOML file over the defaults. Raises `BadConfig`."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None
    known = {each.name: each for each in fields(Config)}
    values: dict[str, Any] = {}
    for written, value in found.items():
        name = RENAMED.get(written, written)
        if name in values:
            raise BadConfig(f"{path}: {name} stands there twice, once by an older name")
        if name not in known:
            raise BadConfig(f"{path}: unknown setting {name!r}; known are {', '.join(sorted(known))}")
        values[name] = _value(path, name, value, getattr(Config(data), name))
    return replace(Config(data), **values)


def _value(path: Path, name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if isinstance(default, Path) and isinstance(value, str):
        return Path(value)
    if type(value) is type(default):
        return value
    raise BadConfig(f"{path}: {name} must be {_word(default)}, not {value!r}")


def _word(default: Any) -> str:
    return {int: "a number", tuple: "a list of texts"}.get(type(default), "a text")
