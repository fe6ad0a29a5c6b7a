"""The roster pulled over real HTTP: what is taken, and what is said where it cannot be had."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from onepam.app.roster.take_roster import set_roster_source
from onepam.domain.roster.events import SOURCE_SECRET, RosterSourceSet
from onepam.egress.egress import Admitted, Egress
from onepam.egress.fetch import Fetch
from onepam.egress.ldap.client import Directory
from onepam.jobs.roster import RosterJob
from onepam.kernel.clock import HOUR
from onepam.kernel.secret import Secret
from onepam.store.engine.rebuild import compare
from onepam.store.facts.people import person_facts
from onepam.store.read.staff import health
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.app.test_roster import text
from tests.company import Company, Counted

pytestmark = pytest.mark.anyio


class Served:
    """What the server answers, and the requests that it had."""

    def __init__(self) -> None:
        self.status, self.body, self.port = 200, b"", 0
        self.keys: list[str | None] = []


@contextmanager
def serving(served: Served) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.keys.append(self.headers["X-Key"])
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(served.body)))
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_it_is_pulled_with_its_secret_when_it_is_due(tmp_path: Path) -> None:
    company, served = await Company.create(tmp_path), Served()
    envelope = Envelope(FileKeys.create(tmp_path / "keys.json", Counted()), Counted())
    with serving(served):
        served.body = text()
        egress = Egress((Admitted.parse(f"127.0.0.1/32:{served.port}"),))
        fetch = Fetch(egress)
        job = RosterJob(company.ledger, company.reader, fetch, envelope, company.clock, Directory(egress))
        await job.turn()
        assert served.keys == []
        sealed = b64encode(envelope.seal(Secret(b"hr-secret"), SOURCE_SECRET)).decode()
        url = f"http://127.0.0.1:{served.port}/roster.csv"
        source = RosterSourceSet("127.0.0.1", HOUR, "ada", url, "X-Key", sealed)
        assert await set_roster_source(company.ledger, company.actor("ada"), source) is None
        await job.turn()
        await job.turn()
        assert served.keys == ["hr-secret"]
        found = await company.reader(health)
        assert found.taken is not None
        assert (found.taken.rows, found.taken.source) == (6, "127.0.0.1")

        company.clock.advance(HOUR)
        served.body = text("eve")
        await job.turn()
        eve = await company.reader(lambda db, at: person_facts(db, "eve", at))
        assert eve is not None
        assert not eve.enabled

        company.clock.advance(HOUR)
        served.status = 503
        await job.turn()
        found = await company.reader(health)
        assert found.trouble == ("127.0.0.1 answered 503 instead of the roster.",)
        assert found.taken is not None
        assert found.taken.rows == 5
    company.clock.advance(HOUR)
    await job.turn()
    assert (await company.reader(health)).trouble != found.trouble
    await fetch.aclose()
    company.close()
    assert compare(company.path) == []
