"""Ordinary OpenSSH client files: key, certificate, known_hosts and a configuration that one `Include` brings in."""

import re
from collections.abc import Mapping
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import Any

from onepam.cli.home import Home
from onepam.cli.show import UNAVAILABLE, stop

ALIAS = "onepam"
"""The name the configuration gives the gateway: `ssh LOGIN@TARGET@onepam`."""

_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}", re.ASCII)
_LINE = re.compile(r"[\x20-\x7e]{1,16384}", re.ASCII)
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")
_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9._+@\\$-]{0,62}", re.ASCII)
_TARGET = re.compile(r"[a-z][a-z0-9._-]{0,62}", re.ASCII)
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_AUTHORITY = re.compile(r"@cert-authority \S+ ", re.ASCII)

NAMES_A_LINE = 20

Targets = Mapping[str, frozenset[str]]
"""Logins by target."""


def new_key() -> tuple[str, str]:
    """A fresh Ed25519 key pair: the private key in OpenSSH's format, and the line of its .pub file."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode("ascii"), public.decode("ascii")


def targets(access: dict[str, Any], home: Home) -> Targets:
    """Those of a catalogue (`GET /access`), open or to be asked for. What could not stand in a configuration is left
    out, and so is every name that the person's own configuration has, in what it includes, too: it means to them what
    it meant before."""
    found: dict[str, frozenset[str]] = {}
    theirs = _hosts(user_config(), {home.ssh_config.resolve()}) | {ALIAS}
    for each in (*access["open"], *access["requestable"]):
        name, login = str(each["resource"]), str(each["login"])
        named = _TARGET.fullmatch(name) and not _LOOPBACK.fullmatch(name) and name not in theirs
        if each["kind"] == "ssh" and named and _LOGIN.fullmatch(login):
            found[name] = found.get(name, frozenset()) | {login}
    return found


def write_ssh(home: Home, private: str, public: str, ssh: dict[str, Any], found: Targets) -> None:
    """Writes all files for what the API gave (`ssh` of its token), and for the targets. The file of known hosts is for
    the gateway and what is reached through it alone, so its authority stands for every name."""
    gateway = ssh["gateway"]
    host, port, known = str(gateway["host"]), int(gateway["port"]), str(gateway["known_hosts"])
    lines = known.splitlines()
    if not (_HOST.fullmatch(host) and 0 < port < 65536 and all(map(_LINE.fullmatch, [*lines, ssh["certificate"]]))):
        stop(UNAVAILABLE, "The gateway sent what does not fit an SSH configuration.", "Tell its administrator.")
    home.write(home.key, private)
    home.write(home.public_key, public + "\n")
    home.write(home.certificate, ssh["certificate"] + "\n")
    home.write(home.known_hosts, "".join(f"{_AUTHORITY.sub('@cert-authority * ', line)}\n" for line in lines))
    through = {name: logins for name, logins in sorted(found.items()) if name != host}
    home.write(home.ssh_config, configuration(home, host, port, through))


def configuration(home: Home, host: str, port: int, found: Targets) -> str:
    """The configuration for one gateway, and for the targets behind it. A loopback name is not taken away from the
    person's other uses."""
    names = ALIAS if _LOOPBACK.fullmatch(host) else f"{ALIAS} {host}"
    shared = (
        f"    UserKnownHostsFile {_quoted(home.known_hosts)}",
        "    StrictHostKeyChecking yes",
        "    UpdateHostKeys no",
        "    ForwardAgent no",
        "    ForwardX11 no",
    )
    lines = [
        "# Written by onepam login; changes are lost at the next one.",
        f"# ssh LOGIN@TARGET, or ssh LOGIN@TARGET@{ALIAS}",
        f"Host {names}",
        f"    HostName {host}",
        f"    Port {port}",
        f"    User {ALIAS}",
        f"    IdentityFile {_quoted(home.key)}",
        f"    CertificateFile {_quoted(home.certificate)}",
        "    IdentitiesOnly yes",
        "    PreferredAuthentications publickey",
        *shared,
    ]
    for name, logins in found.items():
        lines += [f"Host {name}", f"    User {min(logins)}"] if len(logins) == 1 else []
    named = sorted(found)
    for first in range(0, len(named), NAMES_A_LINE):
        lines += [
            f"Host {' '.join(named[first : first + NAMES_A_LINE])}",
            "    HostName %h",
            "    Port 22",
            f"    ProxyJump {ALIAS}",
            "    PubkeyAuthentication no",
            *shared,
        ]
    return "\n".join([*lines, ""])


def include_line(home: Home) -> str:
    """The one line for ~/.ssh/config."""
    return f"Include {_quoted(home.ssh_config)}"


def is_included(home: Home) -> bool:
    """Whether ~/.ssh/config has the line already."""
    try:
        return include_line(home) in user_config().read_text("utf-8", "replace").splitlines()
    except OSError:
        return False


def include(home: Home) -> None:
    """Puts the line at the head of ~/.ssh/config, once: further down it would belong to a Host block."""
    if is_included(home):
        return
    path = user_config()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path = path.resolve()  # a link stays a link
    before = path.read_bytes() if path.exists() else b""
    beside = path.with_name(f".{path.name}.onepam")
    beside.write_bytes(include_line(home).encode() + b"\n" + before)
    beside.chmod(path.stat().st_mode & 0o777 if before else 0o600)
    beside.replace(path)


def user_config() -> Path:
    """The person's own SSH configuration."""
    return Path("~/.ssh/config").expanduser()


def _hosts(config: Path, seen: set[Path]) -> frozenset[str]:
    """The names that a configuration of the person's gives something to, in the files that it includes, too; nothing of
    those that were `seen`."""
    path = config.resolve()
    if path in seen:
        return frozenset()
    seen.add(path)
    try:
        lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    except OSError:
        lines = []
    found: set[str] = set()
    for line in lines:
        keyword, _, rest = line.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
        words = [plain or quoted for quoted, plain in _WORD.findall(rest)]
        match keyword.lower():
            case "host":
                found.update(words)
            case "match":
                named = [after for what, after in pairwise(words) if what.lower() in ("host", "originalhost")]
                found.update(name for each in named for name in each.split(","))
            case "include":
                for each in words:
                    there = user_config().parent / Path(each).expanduser()
                    found.update(*(_hosts(Path(part), seen) for part in glob(str(there))))
            case _:
                pass
    return frozenset(name.lower() for name in found)


def ssh_command(home: Home, login: str, target: str) -> str:
    """The exact line that opens this login."""
    config = "" if is_included(home) else f"-F {_shell(home.ssh_config)} "
    return f"ssh {config}{login}@{target}@{ALIAS}"


def _quoted(path: Path) -> str:
    """As ssh_config(5) reads it: quoted, and its % not a token."""
    return '"' + str(path).replace("%", "%%") + '"'


def _shell(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
