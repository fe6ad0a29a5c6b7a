"""Ordinary OpenSSH client files: key, certificate, known_hosts and a configuration that one `Include` brings in."""

import re
from pathlib import Path
from typing import Any

from onepam.cli.home import Home
from onepam.cli.show import UNAVAILABLE, stop

ALIAS = "onepam"
"""The name the configuration gives the gateway: `ssh LOGIN@TARGET@onepam`."""

_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}", re.ASCII)
_LINE = re.compile(r"[\x20-\x7e]{1,16384}", re.ASCII)
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")


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


def write_ssh(home: Home, private: str, public: str, ssh: dict[str, Any]) -> None:
    """Writes all files for what the API gave (`ssh` of its token)."""
    gateway = ssh["gateway"]
    host, port, known = str(gateway["host"]), int(gateway["port"]), str(gateway["known_hosts"])
    lines = known.splitlines()
    if not (_HOST.fullmatch(host) and 0 < port < 65536 and all(map(_LINE.fullmatch, [*lines, ssh["certificate"]]))):
        stop(UNAVAILABLE, "The gateway sent what does not fit an SSH configuration.", "Tell its administrator.")
    home.write(home.key, private)
    home.write(home.public_key, public + "\n")
    home.write(home.certificate, ssh["certificate"] + "\n")
    home.write(home.known_hosts, "".join(f"{line}\n" for line in lines))
    home.write(home.ssh_config, configuration(home, host, port))


def configuration(home: Home, host: str, port: int) -> str:
    """The configuration for one gateway. A loopback name is not taken away from the person's other uses."""
    names = ALIAS if _LOOPBACK.fullmatch(host) else f"{ALIAS} {host}"
    return "\n".join(
        (
            "# Written by onepam login; changes are lost at the next one.",
            f"# ssh LOGIN@TARGET@{ALIAS}",
            f"Host {names}",
            f"    HostName {host}",
            f"    Port {port}",
            f"    IdentityFile {_quoted(home.key)}",
            f"    CertificateFile {_quoted(home.certificate)}",
            "    IdentitiesOnly yes",
            "    PreferredAuthentications publickey",
            f"    UserKnownHostsFile {_quoted(home.known_hosts)}",
            "    StrictHostKeyChecking yes",
            "    UpdateHostKeys no",
            "    ForwardAgent no",
            "    ForwardX11 no",
            "",
        )
    )


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
