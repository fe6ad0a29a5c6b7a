"""A leaver from the directory's PATCH to the evidence: signed in through a provider, at work, deactivated by SCIM."""

import asyncio
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, expect

from onepam.app.provisioning.provision_user import agree_to_takeover
from onepam.app.provisioning.scim_token import approve_scim_token, propose_scim_token
from onepam.boot.clock import wall_clock
from onepam.domain.access.authority import Actor
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.probing import ProbedProof, ProbeMade, ProbeResult
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.provisioning.take_over import Shown
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.oidc.settings import backchannel_uri, redirect_uri
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.scim.app import TOKEN_PREFIX
from tests.oidc_provider.provider import OidcProvider, running_oidc_provider
from tests.tour.corps import ACCOUNTS, through_oidc
from tests.tour.federated import ADA, RULE, Federated, company
from tests.tour.people import Person
from tests.tour.terminal import login

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds that a busy machine is waited for: what is asked is whether, not how soon."""

VERIFY = Path(__file__).parents[2] / "src/onepam/evidence/verifier/verify.py"
DEACTIVATED = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "value": {"active": False}}],
}
"""As Okta sends it."""

USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "ada@example.com",
    "name": {"givenName": "Ada", "familyName": "Lindt"},
    "emails": [{"primary": True, "value": "ada@example.com", "type": "work"}],
    "active": True,
}


@pytest.fixture
def corp(tmp_path: Path) -> Iterator[tuple[Federated, OidcProvider]]:
    with company(tmp_path) as found:
        with running_oidc_provider(
            tmp_path / "provider.log",
            redirect_uri=redirect_uri(found.console, "corp"),
            backchannel_logout_uri=backchannel_uri(found.console, "corp"),
            accounts=ACCOUNTS,
        ) as provider:
            settings = {"issuer": provider.issuer, "client_id": provider.client_id}
            secret = Secret(provider.client_secret.encode())
            found.provider(ProviderKind.OIDC, settings, secret, replace(RULE, attests=("mfa",)))
            found.start(provider.port)
            yield found, provider


def test_deactivated_in_the_directory_and_gone_everywhere(
    browser: Browser, corp: tuple[Federated, OidcProvider], tmp_path: Path
) -> None:
    found, _ = corp
    scim, administrator = directory(found)
    status, user = asked(f"{found.console}/scim/v2/Users", scim, USER)
    assert status == 201, user
    # Her account was made by hand, so the directory leads it once an administrator agrees.
    ledger = found.gateway.platform.ledger
    assert run(found, agree_to_takeover(ledger, administrator, Shown(user["id"], 1, ADA))) == ADA
    ada = Person(browser, found.console, "Ada", "ada@example.com")
    through_oidc(ada, "ada")
    ada.page.wait_for_url(found.console + "/")
    home = tmp_path / "ada"
    login(ada, found.console, home)

    with shell(found, home) as ssh:
        sent = wall_clock()
        status, answer = asked(f"{found.console}/scim/v2/Users/{user['id']}", scim, DEACTIVATED, "PATCH")
        assert (status, answer["active"]) == (200, False)
        _, told = ssh.communicate(timeout=PATIENCE)
        gone = wall_clock()
    assert ssh.returncode == 255
    assert "this account has been disabled" in told

    (left,) = found.events(PersonDisabled)
    assert (left.person, left.origin) == (ADA, "scim:okta")
    assert left.notified is not None
    ada.go("/")
    assert found.ssh(home, "again").returncode == 255
    ada.page.get_by_role("link", name="Sign in through Corp").click()  # who still knows her there
    expect(ada.page.get_by_text("Nobody here can sign in with this account.")).to_be_visible()

    (closed,) = until(lambda: found.events(SessionClosed))
    assert closed.because == "person.disabled"
    assert closed.last_byte is not None
    assert sent <= left.notified < closed.last_byte <= gone + SECOND
    probes = until(lambda: probed(found))
    assert {each.result for each in probes} == {ProbeResult.REFUSED}
    on_the_board(browser, found)
    in_the_evidence(found, tmp_path / "pack.zip")


def directory(found: Federated) -> tuple[str, Actor]:
    """The token of a SCIM client, that one administrator proposed and another approved, and who approved it."""
    one, other = (run(found, found.gateway.person(console=(ConsoleRight.ADMINISTER,))) for _ in range(2))
    token, ends = new_token(TOKEN_PREFIX, token_bytes), Instant(wall_clock() + 30 * DAY)
    digest = token_digest(token).hex()
    wish = TokenWish(new_id("stk", token_bytes), "okta", "Okta provisioning", (), END_ATTRIBUTE, ends, digest)
    ledger = found.gateway.platform.ledger
    assert run(found, propose_scim_token(ledger, Actor(one.id, one.sign_in), wish)) is None
    administrator = Actor(other.id, other.sign_in)
    assert run(found, approve_scim_token(ledger, administrator, wish.token)) is None
    return token.reveal().decode(), administrator


@contextmanager
def shell(found: Federated, home: Path) -> Iterator["subprocess.Popen[str]"]:
    """The stock client with a terminal, at work."""
    command = ["ssh", "-tt", "-F", str(home / "ssh_config"), f"{found.gateway.target.login}@web-1@onepam"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as ssh:
        try:
            assert ssh.stdin is not None
            assert ssh.stdout is not None
            ssh.stdin.write("echo at-$((6*7))\n")
            ssh.stdin.flush()
            timer = threading.Timer(PATIENCE, ssh.kill)
            timer.start()
            while (line := ssh.stdout.readline()) and "at-42" not in line:
                pass
            timer.cancel()
            assert line, "the shell did not answer"
            yield ssh
        finally:
            ssh.kill()


def asked(url: str, token: str, body: object, method: str = "POST") -> tuple[int, Any]:
    """An answer's status and its JSON."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def probed(found: Federated) -> list[ProbeMade]:
    """All answers about Ada, once there are some for each proof that she had."""
    made = [each for each in found.events(ProbeMade) if each.person == ADA]
    wanted = {ProbedProof.ACCOUNT, ProbedProof.CERTIFICATE, ProbedProof.COOKIE, ProbedProof.TOKEN}
    return made if wanted <= {each.proof for each in made} else []


def auditor(found: Federated, kind: SignInKind) -> str:
    """The token of an auditor's sign-in."""
    token, now = f"opc_{token_urlsafe(32)}", wall_clock()
    person = run(found, found.gateway.person(console=(ConsoleRight.AUDIT,)))
    factors, ends = (FactorKind.PASSWORD, FactorKind.TOTP), Instant(now + HOUR)
    digest = sha256(token.encode()).hexdigest()
    session = new_id("sgn", token_bytes)
    found.record(SignedIn(session, person.id, kind, factors, now, ends, None, digest, "127.0.0.1", "test"))
    return token


def on_the_board(browser: Browser, found: Federated) -> None:
    """Both stamps of each system, and what the probes found."""
    aud = Person(browser, found.console, "Aud", "aud@example.com")
    cookie = auditor(found, SignInKind.CONSOLE)
    aud.context.add_cookies([{"name": "onepam_session", "value": cookie, "url": found.console}])
    card = aud.go("/leavers").locator(f"#{ADA}")
    for word in ("Access removed", "Last byte", "Recordings sealed and verified"):
        expect(card.get_by_text(word, exact=True).first).to_be_visible()
    expect(card.get_by_text("runs still")).to_have_count(0)
    for row in card.locator("tbody tr").all():
        expect(row).to_contain_text("refused")
    assert aud.problems == []


def in_the_evidence(found: Federated, pack: Path) -> None:
    """A stranger's verifier holds the pack to be whole, and the report has the leaver."""
    period = {"starts": "2020-01-01T00:00:00Z", "ends": "2099-01-01T00:00:00Z"}
    token = auditor(found, SignInKind.CLI)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{found.console}/api/v1/evidence", json.dumps(period).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer, pack.open("wb") as file:
        shutil.copyfileobj(answer, file)
    ready = json.loads(next(found.folder.glob("ready-*")).read_text("utf-8"))
    verify = [sys.executable, "-I", str(VERIFY), str(pack), "--log-key", ready["log_key"], "--verbose"]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert done.returncode == 6, done.stdout + done.stderr
    assert "no anchor from outside" in done.stdout
    assert "report leavers" in done.stdout
    unpacked = pack.with_suffix("")
    shutil.unpack_archive(pack, unpacked)
    head, told = map(json.loads, (unpacked / "reports/leavers.jsonl").read_text("utf-8").splitlines())
    row = dict(zip(head["columns"], told["cells"], strict=True))
    assert (row["person"], row["origin"], row["within_24_hours"]) == (ADA, "scim:okta", "yes")
    assert row["notified"] <= row["removed"] <= row["ssh_ended"] == row["last_bytes"] <= row["recordings_verified"]
    assert set(row["probe_results"].split("; ")) == {"refused"}


def run(found: Federated, job: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(job, found.loop).result(30)


def until(look: Any, seconds: float = PATIENCE) -> Any:
    """What `look` finds, as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return seen
