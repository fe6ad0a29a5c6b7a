"""Fabric: PORT KEY FILE ECHO, as each client here."""

import io
import socket
import sys
import time
from contextlib import suppress

from fabric import Connection  # type: ignore[import-not-found]  # it stands apart


def listening(near: int) -> socket.socket:
    """A connection to it, once its thread listens."""
    while True:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", near))
        time.sleep(0.01)


port, key, path, echo = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
with Connection("127.0.0.1", "person", port, connect_kwargs={"key_filename": key, "look_for_keys": False}) as there:
    sent, back = b"x" * 300_000, io.BytesIO()
    there.put(io.BytesIO(sent), path)
    there.get(path, back)
    if back.getvalue() != sent:
        sys.exit("another file came back")
    with socket.create_server(("127.0.0.1", 0)) as found:
        near = found.getsockname()[1]
    with there.forward_local(near, echo, "127.0.0.1"), listening(near) as forwarded:
        forwarded.sendall(b"forwarded\n")
        sys.stdout.write(forwarded.recv(100).decode())
    ran = there.run("cat; exit 9", in_stream=io.StringIO("words\n"), hide=True, warn=True)
    sys.stdout.write(ran.stdout)
    sys.exit(ran.exited)
