"""Documents of policies as files, each under the SHA-256 of its content: one that was altered is found on reading."""

from hashlib import sha256
from pathlib import Path

from onepam.files.data_file import content
from onepam.files.private_file import create_private
from onepam.kernel.errors import Corrupt
from onepam.kernel.ids import RandomBytes


class DocumentFolder:
    """One folder of them. It is made with the first."""

    def __init__(self, folder: Path, most_bytes: int, random: RandomBytes) -> None:
        self._folder = folder
        self._most = most_bytes
        self._random = random

    def keep(self, digest: str, document: bytes) -> None:
        """See `app.ports.Documents`. One that was altered gives way to the right one."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / digest
        if path.exists() and not self._is_whole(digest):
            path.unlink()
        create_private(path, document, self._random)

    def read(self, digest: str) -> bytes:
        """See `app.ports.Documents`."""
        found = content(self._folder / digest, self._most)
        if sha256(found).hexdigest() != digest:
            raise Corrupt(f"the document {digest[:16]}… was altered")
        return found

    def _is_whole(self, digest: str) -> bool:
        try:
            self.read(digest)
        except Corrupt:
            return False
        return True
