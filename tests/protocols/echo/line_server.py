"""A TCP server of its own process: says its name, sends every line back; `flood` sends without end, `die` dies."""

import os
import socketserver
import sys

NAME = b"line-server 1\n"


class Lines(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(NAME)
        for line in self.rfile:
            if line == b"die\n":
                os._exit(1)
            while line == b"flood\n":
                self.wfile.write(b"line\n" * 1000)
            self.wfile.write(line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is cut off in the middle of a line is nothing to tell of."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Lines) as server:
        os.write(1, b"listening\n")  # for whoever started it
        server.serve_forever()
