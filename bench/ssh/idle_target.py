"""A target that costs little: admits whoever has a certificate of the target CA, and talks twice a second.

`python -m bench.ssh.idle_target CA.pub` prints its port and its public host key, one a line.
"""

import asyncio
import sys
from pathlib import Path

import asyncssh


class _Server(asyncssh.SSHServer):
    def __init__(self, authority: asyncssh.SSHKey) -> None:
        self._authority = authority

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_ca_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data == self._authority.public_data


async def _talk(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write("ready\n")
    while not process.is_closing():
        await asyncio.sleep(0.5)
        process.stdout.write(".")


async def main(authority: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    trusted = asyncssh.read_public_key(str(authority))
    listener = await asyncssh.create_server(
        lambda: _Server(trusted), "127.0.0.1", 0, server_host_keys=[key], process_factory=_talk, backlog=512,
        config=None, line_editor=False,
    )  # fmt: skip
    print(listener.get_port(), key.export_public_key().decode("ascii").strip(), sep="\n", flush=True)
    await listener.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
