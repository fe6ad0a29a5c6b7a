"""The systemd units of an installation, from its configuration: the gateway's, and the signer's as its own user."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from onepam.boot.config import BadConfig, Config

GATEWAY, SIGNER = "onepam", "onepam-signer"
"""Users and units; the signer's group is the gateway's, so that it reaches the socket."""

SIGNER_SOCKET = Path("/run/onepam-signer/socket")
STATE = Path("/var/lib")
FOLDER = Path("/etc/systemd/system")
"""Where an administrator's own units lie."""

STOP_SECONDS = 45
"""What a stop may take after sessions had their time: their end, the last publication and its witness, the signer.
Beyond that something is stuck."""

LOWEST_FREE_PORT = 1024

_HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
UMask=0077
"""

_GATEWAY = """\
[Unit]
Description=OnePAM: gateway, console and API
Wants=network-online.target{wants}
After=network-online.target{wants}
StartLimitIntervalSec=0

[Service]
Type=exec
User={user}
Group={user}
ExecStart={program} up --data {data} --config {config}
Restart=always
RestartSec=2
# A stop ends sessions with a word, and publishes and signs what they left: only the gateway is told, it ends its own.
KillMode=mixed
TimeoutStopSec={stop}
LimitNOFILE=65536
{folder}
{credentials}{hardening}RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}

[Install]
WantedBy=multi-user.target
"""

_SIGNER = """\
[Unit]
Description=OnePAM: the ledger's signer
StartLimitIntervalSec=0

[Service]
Type=exec
User={user}
Group={group}
ExecStart={program} signer --folder {folder} --origin {origin} --socket {socket}
Restart=always
RestartSec=2
TimeoutStopSec=10
StateDirectory={user}
StateDirectoryMode=0700
{runtime}
{hardening}PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit file: its name, and its text."""

    name: str
    text: str


def units(config: Config, file: Path) -> tuple[Unit, Unit]:
    """The gateway's unit and the signer's, for the configuration that lies in `file`. Raises `BadConfig` where two
    secret files have one name: a credential is known by that."""
    socket = Path(config.signer_socket) if config.signer_socket else SIGNER_SOCKET
    program = _word(str(Path(sys.prefix) / "bin" / "onepam"))
    data = config.data.absolute()
    ports = (config.ssh_port, config.postgres_port, config.mysql_port, config.console_port)
    low = any(0 < port < LOWEST_FREE_PORT for port in ports)
    gateway = _GATEWAY.format(
        user=GATEWAY,
        wants=f" {SIGNER}.service" if config.signer_socket else "",
        program=program,
        data=_word(str(data)),
        config=_word(str(file.absolute())),
        stop=STOP_SECONDS + config.drain_seconds,
        folder=_state(data),
        credentials="".join(f"LoadCredential={name}:{path}\n" for name, path in _credentials(config)),
        hardening=_HARDENING,
        capabilities="CAP_NET_BIND_SERVICE" if low else "",
    )
    in_run = socket.parent.parent == Path("/run")
    signer = _SIGNER.format(
        user=SIGNER,
        group=GATEWAY,
        program=program,
        folder=STATE / SIGNER,
        origin=_word(config.origin),
        socket=_word(str(socket)),
        runtime=f"RuntimeDirectory={socket.parent.name}\nRuntimeDirectoryMode=0750"
        if in_run
        else f"ReadWritePaths={_word(str(socket.parent))}",
        hardening=_HARDENING,
    )
    return Unit(f"{GATEWAY}.service", gateway), Unit(f"{SIGNER}.service", signer)


def _state(data: Path) -> str:
    """systemd makes and opens a folder below /var/lib; any other is there already."""
    if data.parent == STATE:
        return f"StateDirectory={data.name}\nStateDirectoryMode=0700"
    return f"ReadWritePaths={_word(str(data))}"


def _credentials(config: Config) -> list[tuple[str, str]]:
    """Secret files that the configuration names: root may own them, and the service is lent a copy."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(config.secret_files):
        name = Path(path).name
        if name in found:
            raise BadConfig(f"{path} and {found[name]} have one name; the service knows a secret by the file's name")
        found[name] = str(Path(path).absolute()).replace("%", "%%")
    return list(found.items())


def _word(text: str) -> str:
    """One word of a unit's command line (systemd.service(5), Command lines; systemd.unit(5), Specifiers)."""
    text = text.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
