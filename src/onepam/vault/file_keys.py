"""Master keys in a file: the default key provider.

The file is JSON, `{"current": "mk_...", "keys": {"mk_...": "<base64 of 32 bytes>"}}`, mode 0600 and ours. Whoever reads
it can open everything that was sealed: keep it apart from the backups of the database. A systemd credential
(`$CREDENTIALS_DIRECTORY`, systemd.exec(5)) is the same file, mounted read-only.
"""

import json
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.files.lock import locked
from onepam.files.private_file import CREDENTIAL, OWN, create_private, read_private, replace_private
from onepam.kernel.errors import Corrupt, Refused
from onepam.kernel.ids import RandomBytes, new_id
from onepam.vault.envelope import MAX_KEY_ID_CHARACTERS, KeyMissing

MAX_FILE_BYTES = 64 * 1024

_NONCE = 12


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    current: str
    keys: Mapping[str, bytes]

    def encode(self) -> bytes:
        keys = {name: b64encode(key).decode("ascii") for name, key in self.keys.items()}
        return json.dumps({"current": self.current, "keys": keys}, indent=1).encode("ascii") + b"\n"


@final
class FileKeys:
    """The key provider over one file. Safe to share between threads; sees what other processes rotated."""

    def __init__(self, path: Path, random: RandomBytes, *, read_only: bool = False) -> None:
        """Read the keys. Raises `FileNotFoundError`, and `Corrupt` when the file is not private or not well-formed."""
        self._path = path
        self._random = random
        self._read_only = read_only
        self._lock = threading.Lock()
        self._keys = self._read()

    @classmethod
    def create(cls, path: Path, random: RandomBytes) -> "FileKeys":
        """The keys at `path`, made with one fresh master key on the first run. Raises like the constructor."""
        if not os.path.lexists(path):
            name = new_id("mk", random)
            create_private(path, _Keys(name, {name: random(32)}).encode(), random)
        return cls(path, random)

    @classmethod
    def credential(cls, name: str, random: RandomBytes, environment: Mapping[str, str]) -> "FileKeys":
        """The keys in the systemd credential `name`, read-only. Raises `FileNotFoundError` when systemd passed none."""
        folder = environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise FileNotFoundError("no systemd credentials were passed: CREDENTIALS_DIRECTORY is not set")
        if not name or "/" in name or name.startswith("."):
            raise ValueError(f"not a credential's name: {name!r}")
        return cls(Path(folder) / name, random, read_only=True)

    @property
    def current(self) -> str:
        return self._keys.current

    @property
    def ids(self) -> tuple[str, ...]:
        """All master keys' ids, oldest first."""
        return tuple(self._keys.keys)

    def rotate(self) -> str | Refused:
        """Add a fresh master key and make it the current one; answers its id. Old ones stay, to open what they wrapped.

        Raises `Unavailable` while another process rotates: two rotations at one moment must not lose one of the keys.
        """
        if self._read_only:
            return Refused(
                "vault.read_only",
                "These master keys come from a systemd credential, which cannot be written.",
                "Rotate the key file it is made from, then restart the service.",
            )
        busy = "another process is rotating the master keys; try again"
        with self._lock, locked(self._path.parent, busy):
            keys = self._read()
            name = new_id("mk", self._random)
            keys = _Keys(name, {**keys.keys, name: self._random(32)})
            data = keys.encode()
            if len(data) > MAX_FILE_BYTES:
                return Refused("vault.too_many_keys", "The key file is full.", "Re-wrap and retire old master keys.")
            replace_private(self._path, data, self._random)
            self._keys = keys
        return name

    def wrap(self, key_id: str, data_key: bytes, associated: bytes) -> bytes:
        nonce = self._random(_NONCE)
        return nonce + AESGCM(self._key(key_id)).encrypt(nonce, data_key, associated)

    def unwrap(self, key_id: str, wrapped: bytes, associated: bytes) -> bytes:
        try:
            return AESGCM(self._key(key_id)).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], associated)
        except InvalidTag:
            raise Corrupt("a wrapped key was altered") from None

    def _key(self, key_id: str) -> bytes:
        key = self._keys.keys.get(key_id)
        if key is None:
            with self._lock:
                self._keys = self._read()
            key = self._keys.keys.get(key_id)
        if key is None:
            raise KeyMissing(f"master key {key_id} is not in {self._path}; restore it from the backup of the key file")
        return key

    def _read(self) -> _Keys:
        data = read_private(self._path, MAX_FILE_BYTES, forbidden=CREDENTIAL if self._read_only else OWN)
        try:
            return _decode(data)
        except (ValueError, RecursionError) as error:
            raise Corrupt(f"{self._path} is not a key file: {error}") from None


def _decode(data: bytes) -> _Keys:
    value = json.loads(data)
    if not isinstance(value, dict) or value.keys() != {"current", "keys"} or not isinstance(value["keys"], dict):
        raise ValueError('it must hold exactly "current" and "keys"')
    keys: dict[str, bytes] = {}
    for name, text in value["keys"].items():
        if not (0 < len(name) <= MAX_KEY_ID_CHARACTERS and name.isascii() and name.isprintable()):
            raise ValueError("a key's id is not short ASCII text")
        key = b64decode(text, validate=True) if isinstance(text, str) else b""
        if len(key) != 32:
            raise ValueError(f"key {name} is not 32 bytes of base64")
        keys[name] = key
    if value["current"] not in list(keys):
        raise ValueError("the current key is not among the keys")
    return _Keys(value["current"], keys)
