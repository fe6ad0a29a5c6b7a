"""What the command line keeps: one folder, readable by its person only (`~/.config/onepam`, or `$ONEPAM_HOME`)."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

MAX_SESSION_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Session:
    """A CLI session; `expires` is RFC 3339."""

    gateway: str
    token: str
    session: str
    person: str
    name: str
    expires: str


class Home:
    """The folder and its files."""

    def __init__(self) -> None:
        named = os.environ.get("ONEPAM_HOME")
        base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        self.folder = Path(named).expanduser() if named else Path(base).expanduser() / "onepam"
        self.session_file = self.folder / "session.json"
        self.key = self.folder / "id_ed25519"
        self.public_key = self.folder / "id_ed25519.pub"
        self.certificate = self.folder / "id_ed25519-cert.pub"
        self.known_hosts = self.folder / "known_hosts"
        self.ssh_config = self.folder / "ssh_config"
        self.gateway_file = self.folder / "gateway"
        self.database_key = self.folder / "database.key"
        self.database_certificate = self.folder / "database.crt"
        self.database_root = self.folder / "database-root.crt"
        self.services = self.folder / "pg_service.conf"

    def session(self) -> Session | None:
        """The session of the last `onepam login`; None when there is none that can be read."""
        try:
            found = json.loads(self.session_file.read_bytes()[:MAX_SESSION_BYTES])
            return Session(**{name: str(found[name]) for name in Session.__slots__})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, session: Session) -> None:
        """Keeps the session, and its gateway for the next login."""
        self.write(self.session_file, json.dumps(asdict(session), indent=1) + "\n")
        self.write(self.gateway_file, session.gateway + "\n")

    def gateway(self) -> str:
        """The gateway of the last login; empty when there was none."""
        try:
            return self.gateway_file.read_text("utf-8").strip()
        except OSError:
            return ""

    def forget(self) -> None:
        """Removes the session, and the keys with their certificates."""
        for path in (self.session_file, self.certificate, self.key, self.public_key):
            path.unlink(missing_ok=True)
        self.forget_databases()

    def forget_databases(self) -> None:
        """Removes what leads to databases."""
        for path in (self.services, self.database_certificate, self.database_key):
            path.unlink(missing_ok=True)

    def write(self, path: Path, text: str) -> None:
        """Writes a file of mode 0600, whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
