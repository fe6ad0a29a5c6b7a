"""`onepam login --device`: from a machine without a browser (RFC 8628). Keys that it holds say whose terminal it is."""

import os
import subprocess
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onepam.cli.client import ask
from onepam.cli.login import client_name
from onepam.cli.show import REFUSED, USAGE, note, stop

NAMESPACE = "onepam-login-device"
MOST_KEYS = 4
SLOWER_SECONDS = 5
"""By how much longer to wait where the gateway says that it was too soon (RFC 8628, section 3.5)."""
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_TOOL_SECONDS = 10.0
_PENDING, _SLOW_DOWN = "device.pending", "device.slow_down"


def given_on_another(gateway: str, public: str, key: Path | None) -> dict[str, Any]:
    """The session (as `/cli/token` gives it), once its person has typed this terminal's code in a browser."""
    shown: dict[str, Any] = ask(gateway, "POST", "/cli/device", {"client": client_name()})
    count = _show_keys(gateway, shown, key)
    note("Open this in your browser, on any machine:", "", f"    {shown['address']}", "")
    note(f"and type this code there:   {shown['code']}", "")
    if count:
        note("If an SSH key that this machine holds is registered under My factors, only its person can let you in.")
    else:
        note("This machine has shown no SSH key: the browser must be at the same address as this machine.")
    return _wait(gateway, shown, public)


def _wait(gateway: str, shown: dict[str, Any], public: str) -> dict[str, Any]:
    pause, ends = float(shown["interval"]), time.monotonic() + float(shown["expires_in"])
    body = {"device_code": shown["device_code"], "public_key": public}
    while time.monotonic() + pause < ends:
        time.sleep(pause)
        answer: dict[str, Any] = ask(gateway, "POST", "/cli/device/token", body, expected=(_PENDING, _SLOW_DOWN))
        if answer.get("code") == _SLOW_DOWN:
            pause += SLOWER_SECONDS
        elif answer.get("code") != _PENDING:
            return answer
    return stop(REFUSED, "Nobody typed the code within two minutes.", "Run again: onepam login --device")


def _show_keys(gateway: str, shown: dict[str, Any], named: Path | None) -> int:
    """Signs for this gateway and this terminal alone; gives with how many keys."""
    if shown["gateway"].rstrip("/").casefold() != gateway.casefold():
        if named is not None:
            stop(USAGE, f"This gateway calls itself {shown['gateway']}.", "Sign in there, so that the key is for it.")
        return 0
    line = f"onepam login --device {shown['gateway']} {shown['device']}"
    with tempfile.TemporaryDirectory(prefix="onepam-") as folder:
        keys = [named] if named is not None else [*_of_agent(Path(folder)), *_of_home()]
        signatures = [_signature(each, line, ask_for_it=named is not None) for each in keys]
    signed = list({each["public_key"]: each for each in signatures if each is not None}.values())[:MOST_KEYS]
    if named is not None and not signed:
        stop(USAGE, f"{named} signs nothing.", "Give a private key, or the .pub file of a key in your ssh-agent.")
    if signed:
        ask(gateway, "POST", "/cli/device/keys", {"device_code": shown["device_code"], "keys": signed})
    return len(signed)


def _of_agent(folder: Path) -> Iterator[Path]:
    """The keys of the agent, a forwarded one, too. Keys that want a touch are not asked without being named."""
    if not os.environ.get("SSH_AUTH_SOCK"):
        return
    lines = [each for each in _run(["ssh-add", "-L"], "").splitlines() if each.startswith(("ssh-", "ecdsa-"))]
    for number, line in enumerate(lines[:MOST_KEYS]):
        path = folder / f"{number}.pub"
        path.write_text(line + "\n", "utf-8")
        yield path


def _of_home() -> Iterator[Path]:
    """The usual files; one with a passphrase signs nothing without being named."""
    for name in _DEFAULT_KEYS:
        path = Path("~/.ssh").expanduser() / name
        if path.is_file():
            yield path


def _signature(key: Path, line: str, *, ask_for_it: bool) -> dict[str, str] | None:
    signed = _run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)], line, terminal=ask_for_it)
    if not signed:
        return None
    raw = b64decode("".join(signed.strip().splitlines()[1:-1]))
    blob = _string(raw, 10)  # after SSHSIG and the version
    public = f"{_string(blob, 0).decode('ascii')} {b64encode(blob).decode('ascii')}"
    return {"public_key": public, "signature": signed}


def _string(data: bytes, at: int) -> bytes:
    size = int.from_bytes(data[at : at + 4], "big")
    return data[at + 4 : at + 4 + size]


def _run(command: list[str], text: str, *, terminal: bool = False) -> str:
    """What a tool of OpenSSH prints; "" where it fails or is not there. Without a terminal it asks nothing."""
    environment = dict(os.environ) if terminal else {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=not terminal,
            stdout=subprocess.PIPE if terminal else None,
            text=True,
            timeout=None if terminal else _TOOL_SECONDS,
            env=environment,
            start_new_session=not terminal,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
