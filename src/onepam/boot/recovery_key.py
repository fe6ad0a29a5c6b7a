"""`onepam recovery-key`: the digest outside the data folder, making the key at the founding, and renewing it."""

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from onepam.app.host.announced import known_recovery_key, make_recovery_key, renew_recovery_key
from onepam.app.ports import Ledger, Reader
from onepam.boot.config import BadConfig, Config
from onepam.boot.on_ledger import on_ledger, settings_of, unaltered
from onepam.domain.host.announcing import Announcement
from onepam.domain.host.recovery_key import Renewal
from onepam.files.data_file import content
from onepam.identity.recovery_key import new_recovery_key, recovery_key_digest
from onepam.identity.tokens import same
from onepam.kernel.clock import iso
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.kernel.ids import new_id
from onepam.store.engine.ledger import SqliteLedger

MAX_LINE_BYTES = 256
_SHOWN_BEFORE = (
    "The recovery key was shown by an earlier run, and is not shown again. If nobody wrote it down, make another: "
    "onepam recovery-key renew --no-with-key (it takes a day)."
)

_LINE = re.compile(r"onepam-recovery-key/1 ([0-9a-f]{64})\n?")


def file_of(config: Config) -> Path:
    """Where the digest lies: `recovery_key_file`, else beside the data folder. Raises `BadConfig` for one inside."""
    data = config.data.resolve()
    path = Path(config.recovery_key_file) if config.recovery_key_file else data.with_name(data.name + ".recovery-key")
    if path.resolve().is_relative_to(data):
        raise BadConfig("recovery_key_file lies in the data folder: whoever replaces the database replaces it, too")
    return path


def kept_digest(path: Path) -> str | None:
    """The digest in the file; None where there is no file. Raises `Corrupt` for another content."""
    try:
        text = content(path, MAX_LINE_BYTES).decode("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, Corrupt) as error:
        raise Corrupt(f"{path} cannot be read: {error}") from None
    found = _LINE.fullmatch(text)
    if found is None:
        raise Corrupt(f"{path} holds no digest of a recovery key")
    return found[1]


def _unkept(path: Path, digest: str) -> str:
    """Puts the digest into the file, durably; why it could not, empty where it is there."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.unlink(missing_ok=True)
        with beside.open("x", encoding="ascii") as file:
            file.write(f"onepam-recovery-key/1 {digest}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def shown_digest(path: Path, typed: str) -> str:
    """The digest of `typed` where it is the recovery key by the file outside the data folder, else "". Raises
    `Unavailable` without the file."""
    kept, given = kept_digest(path), recovery_key_digest(typed)
    if kept is None:
        raise Unavailable(f"{path} is gone, and nothing else says which recovery key is the right one")
    return given if given is not None and same(given.encode("ascii"), kept.encode("ascii")) else ""


@dataclass(frozen=True, slots=True)
class Made:
    """A recovery key; `key` is shown once and empty where it was shown before. `unkept` is why the digest could not be
    put outside, empty when it is there."""

    key: str
    digest: str
    file: Path
    unkept: str = ""

    def key_words(self) -> str:
        """The key itself."""
        return (
            f"Recovery key: {self.key}\n"
            "Write it down and keep it where neither this machine nor its backups are. It is shown this once;\n"
            "where this was broken off, was run again, and showed another one, that is the key."
        )

    def digest_words(self) -> str:
        """Where its digest lies, or how root puts it there."""
        if self.unkept:
            return (
                f"Its digest could not be put into {self.file} ({self.unkept}). Until it is there, nothing takes the "
                f"key. Do it as root:\n  echo 'onepam-recovery-key/1 {self.digest}' > {self.file}"
            )
        return f"Its digest lies in {self.file}, outside the data folder: guard that file, and back it up apart."


async def found_recovery_key(ledger: Ledger, config: Config, show: Callable[[Made], None]) -> str:
    """Makes the key of a new installation, or takes over the one whose digest lies outside already: a lost database
    does not replace it. Gives what is to be said of the digest, "" where it is where it should be.

    A key is shown first, then its digest put outside, then the ledger told. So a digest outside is always of a key that
    somebody was shown, and whatever breaks this off, it may be run again.
    """
    path = file_of(config)
    kept, known = kept_digest(path), await known_recovery_key(ledger)
    if known is not None:
        return _SHOWN_BEFORE if kept else Made("", known, path, "it is not there").digest_words()
    if kept:
        await make_recovery_key(ledger, kept, adopted=True)
        return f"The recovery key that was made before stays in force: its digest lies in {path}.\n{_SHOWN_BEFORE}"
    key = new_recovery_key(secrets.token_bytes).reveal().decode("ascii")
    digest = recovery_key_digest(key) or ""
    show(Made(key, digest, path))
    made = Made(key, digest, path, _unkept(path, digest))
    await make_recovery_key(ledger, digest, adopted=False)
    return made.digest_words()


def hand_over(key: str, digest: str, path: Path) -> None:
    """Says a key that the ledger knows already, then puts its digest outside: the key is not lost to what fails there,
    and where only root may write that file, root is told what."""
    typer.echo(Made(key, digest, path).key_words())
    typer.echo(Made(key, digest, path, _unkept(path, digest)).digest_words())


def renew_key(data: Path, config: Path | None, *, with_key: bool) -> None:
    """Asks for the old key, makes another, and says it, or when it will be due."""
    settings = settings_of(config, unaltered(data))
    path = file_of(settings)
    typed = typer.prompt("Old recovery key", hide_input=True) if with_key else ""

    async def renewed(ledger: SqliteLedger, reader: Reader) -> None:
        shown = shown_digest(path, typed) if with_key else ""
        if with_key and not shown:
            typer.echo("That is not the recovery key.", err=True)
            raise typer.Exit(1)
        key = new_recovery_key(secrets.token_bytes).reveal().decode("ascii")
        digest = recovery_key_digest(key) or ""
        wish = Renewal(digest, kept_digest(path) or "", shown, new_id("ann", secrets.token_bytes), ledger.node)
        answer = await renew_recovery_key(ledger, wish)
        if isinstance(answer, Refused):
            typer.echo(f"{answer.message} {answer.hint}", err=True)
            raise typer.Exit(1)
        if isinstance(answer, Announcement):
            typer.echo(f"Announced as {answer.announcement}. Every administrator sees it and may cancel it.")
            typer.echo(f"Run the same command again after {iso(answer.due)}.")
            return
        hand_over(key, digest, path)

    on_ledger(settings, renewed)
