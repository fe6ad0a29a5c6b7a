"""A pack taken apart, and put together by a forger who has no key: manifest and envelopes fit what was altered."""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MANIFEST = "manifest.json"


def unzip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def rezip(files: dict[str, bytes]) -> bytes:
    """A zip of the profile of docs/format.md."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def canonical(value: Any) -> bytes:
    """The JSON of section 2: all that stands in a pack is within its restrictions."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seal(files: dict[str, bytes]) -> bytes:
    """The pack with envelopes and a manifest that fit its files."""
    for name in [each for each in files if each.endswith(".envelope.json")]:
        report = name.removeprefix("reports/").removesuffix(".envelope.json")
        envelope = json.loads(files[name])
        for file in envelope["files"]:
            envelope["files"][file] = digest(files.get(f"reports/{file}", b""))
        files[name] = canonical(envelope)
        assert set(envelope["files"]) == {f"{report}.csv", f"{report}.jsonl"}
    manifest = json.loads(files.pop(MANIFEST))
    manifest["files"] = [{"name": n, "sha256": digest(c), "size": len(c)} for n, c in sorted(files.items())]
    files[MANIFEST] = canonical(manifest)
    return rezip(files)


def edit(files: dict[str, bytes], name: str, change: Callable[[Any], Any]) -> None:
    """Alters the JSON of a file; what `change` gives takes its place, unless it is None."""
    value = json.loads(files[name])
    given = change(value)
    files[name] = canonical(value if given is None else given)


def lines(files: dict[str, bytes], name: str, change: Callable[[list[Any]], None]) -> None:
    """Alters the list of the JSON lines of a file."""
    values = [json.loads(line) for line in files[name].decode().split("\n")[:-1]]
    change(values)
    files[name] = b"".join(canonical(value) + b"\n" for value in values)


def flip(data: bytes, place: int) -> bytes:
    """One bit of the byte at this place."""
    altered = bytearray(data)
    altered[place] ^= 1
    return bytes(altered)


class ForgersKey:
    """A key of the forger's own, under a name that is another's."""

    def __init__(self, name: str, algorithm: int = 1) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        public = bytes([algorithm]) + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self._id.hex()}+{base64.b64encode(public).decode()}"

    def note(self, text: str) -> bytes:
        signature = self._id + self._key.sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n".encode()
