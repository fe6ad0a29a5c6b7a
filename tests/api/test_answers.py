"""What the API answers beyond its statuses: sessions of the CLI, certificates, history, bounds, recordings."""

import json
import secrets
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from onepam.api.guard import Needs, _of_several
from onepam.api.services import ApiServices
from onepam.app.ports import Snapshot
from onepam.cli.database_files import new_key as new_database_key
from onepam.domain.access.model import ConsoleRight
from onepam.domain.requests.events import UNDO
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, SignedIn, SignedOut, SignInKind
from onepam.gateway.recorder import recording_path
from onepam.identity.cli_codes import issue_code
from onepam.identity.tokens import new_token, pkce_challenge, token_digest
from onepam.kernel.clock import HOUR, MINUTE, Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.engine.entries import entries_of
from onepam.vault.database_clients import ClientClaims
from onepam.vault.database_clients import judge as judge_database
from onepam.vault.person_certificates import Claims, judge
from tests.api.office import Office, now

REDIRECT = "http://127.0.0.1:43210/callback"


def public_key() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def code_for(office: Office, person: str, **other: Any) -> dict[str, str]:
    verifier = secrets.token_urlsafe(48)
    code = issue_code(
        office.services.envelope,
        person,
        office.actor(person).session,
        pkce_challenge(verifier),
        REDIRECT,
        now(),
        secrets.token_bytes,
    )
    assert isinstance(code, str)
    return {"code": code, "verifier": verifier, "redirect": REDIRECT, "public_key": public_key(), **other}


def entries(office: Office, kind: str) -> list[Any]:
    def read(db: Snapshot, at: Instant) -> list[Any]:
        return [each.event for each in entries_of(db, (kind,))]

    return office.reader.now(read)


def test_a_code_opens_one_session_once(office: Office) -> None:
    eve = office.join("engineer")
    body = code_for(office, eve)
    with office.client(None) as client:
        given = client.post("/cli/token", json=body).json()
        again = client.post("/cli/token", json=body)
        assert (again.status_code, again.json()["code"]) == (401, "cli_code.gone")
        me = client.get("/me", headers={"Authorization": f"Bearer {given['token']}"}).json()
    assert (me["person"], me["session"], given["expires"]) == (eve, given["session"], me["expires"])
    office.record(SignedOut(given["session"], eve, "signed_out", eve))
    with office.client(None) as client:
        late = client.post("/cli/token", json=body)
    assert (late.status_code, late.json()["code"]) == (401, "cli_code.gone")


def test_a_code_is_worth_nothing_once_its_console_session_ended(office: Office) -> None:
    eve = office.join("engineer")
    body = code_for(office, eve)
    office.record(SignedOut(office.actor(eve).session, eve, "signed_out", eve))
    with office.client(None) as client:
        assert client.post("/cli/token", json=body).status_code == 401


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("verifier", "w" * 43, 401),
        ("redirect", "http://127.0.0.1:43211/callback", 401),
        ("code", "AAAA", 401),
        ("public_key", "ssh-rsa AAAA", 422),
        ("public_key", "ssh-ed25519 AAAA", 422),
        ("extra", "x", 422),
    ],
)
def test_a_wrong_code_opens_nothing(office: Office, field: str, value: str, status: int) -> None:
    eve = office.join("engineer")
    body = code_for(office, eve)
    with office.client(None) as client:
        refused = client.post("/cli/token", json={**body, field: value})
        assert refused.status_code == status, refused.text
        assert client.post("/cli/token", json=body).status_code == 200  # and the code is still good


def test_a_certificate_ends_with_its_session(office: Office) -> None:
    eve = office.join("engineer")
    with office.client(None) as client:
        given = client.post("/cli/token", json=code_for(office, eve)).json()
        headers = {"Authorization": f"Bearer {given['token']}"}
        renewed = client.post("/cli/certificate", json={"public_key": public_key()}, headers=headers).json()
    for ssh in (given["ssh"], renewed):
        claims = judge(
            b64decode(ssh["certificate"].split()[1]),
            office.services.authorities.person.public_blob,
            now(),
            "192.0.2.1",
        )
        assert isinstance(claims, Claims)
        assert (claims.person_id, claims.session_id) == (eve, given["session"])
        assert 0 <= parse(given["expires"]) - claims.expires < 2_000_000
        assert ssh["gateway"] == {
            "host": "127.0.0.1",
            "port": 2022,
            "known_hosts": office.services.host_key_line,
        }
    issued = [each for each in entries(office, "certificate.issued") if each.session == given["session"]]
    assert len({each.serial for each in issued}) == 2
    assert all(each.fingerprint.startswith("SHA256:") for each in issued)


def test_a_certificate_for_databases_ends_with_its_session(office: Office) -> None:
    eve, (_, key) = office.join("engineer"), new_database_key()
    with office.client(None) as client:
        signed_in = client.post("/cli/token", json=code_for(office, eve)).json()
        headers = {"Authorization": f"Bearer {signed_in['token']}"}
        given = client.post("/cli/database-certificate", json={"public_key": key}, headers=headers).json()
        wrong = client.post("/cli/database-certificate", json={"public_key": public_key()}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "certificate.subject")
    assert (given["host"], given["port"], given["expires"]) == ("127.0.0.1", 5433, signed_in["expires"])
    assert given["root"].encode() == office.services.database_root()
    made = x509.load_pem_x509_certificate(given["certificate"].encode())
    assert judge_database(
        made.public_bytes(Encoding.DER), office.services.authorities.database_client(now()).root, now()
    ) == ClientClaims(signed_in["session"], eve)
    assert abs(parse(given["expires"]) / 1e6 - made.not_valid_after_utc.timestamp()) < 2
    issued = [each for each in entries(office, "certificate.issued") if each.session == signed_in["session"]]
    assert issued[-1].serial == made.serial_number


def test_without_a_listener_for_databases_there_is_no_certificate(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr(ApiServices, "postgres_port", 0)
    with office.client(office.join("engineer")) as client:
        refused = client.post("/cli/database-certificate", json={"public_key": new_database_key()[1]})
    assert (refused.status_code, refused.json()["code"]) == (409, "postgres.nowhere")


def test_only_a_cli_token_in_the_header_counts(office: Office) -> None:
    eve = office.join("engineer")
    token = new_token("opc", secrets.token_bytes)
    text = token.reveal().decode()
    moment = now()
    console = SignedIn(
        session=new_id("sgn", secrets.token_bytes),
        person=eve,
        kind=SignInKind.CONSOLE,
        proven=(FactorKind.PASSKEY,),
        mfa_at=moment,
        expires=Instant(moment + HOUR),
        parent=None,
        token_digest=token_digest(token).hex(),
    )
    office.record(console)
    good = office.token(eve)
    with office.client(None) as client:
        assert client.get("/me", headers={"Authorization": f"Bearer {text}"}).status_code == 401
        machine = new_token("scim", secrets.token_bytes).reveal().decode()
        assert client.get("/me", headers={"Authorization": f"Bearer {machine}"}).status_code == 401
        assert client.get("/me", headers={"Authorization": f"Basic {good}"}).status_code == 401
        assert client.get("/me", headers={"Authorization": f"Bearer {good}x"}).status_code == 401
        assert client.get("/me", headers={"Cookie": f"onepam={good}; token={good}"}).status_code == 401
        assert client.get("/me", params={"token": good}).status_code == 401
        assert client.get("/me", headers={"Authorization": f"bearer {good}"}).status_code == 200


def test_a_disabled_persons_token_is_dead(office: Office) -> None:
    eve, ada = office.join("engineer"), office.join("administrator")
    with office.client(ada) as client:
        assert client.post(f"/people/{eve}/disable", json={"reason": "left"}).json()["sign_ins"] == 2
        himself = client.post(f"/people/{ada}/disable", json={"reason": "x"})
        assert himself.status_code == 403
    with office.client(eve) as client:
        assert client.get("/me").status_code == 401


def test_a_right_that_is_taken_is_gone_at_once(office: Office) -> None:
    from onepam.domain.access.events import BindingEnded

    aud = office.join("auditor")
    with office.client(aud) as client:
        assert client.get("/people").status_code == 200
        office.record(BindingEnded(f"bnd_{aud}_auditor", "moved", "chg_2", None))
        assert client.get("/people").status_code == 403


def test_as_of_shows_what_was(office: Office) -> None:
    ada = office.join("administrator")
    before = datetime.now(UTC)
    person = office.join("engineer", name="later")
    with office.client(ada) as client:
        then = client.get("/people", params={"as_of": before.isoformat()}).json()
        today = client.get("/people").json()
        assert person not in {each["person"] for each in then}
        assert person in {each["person"] for each in today}
        for wrong in ("yesterday", "2026-03-01T00:00:00", (before + timedelta(days=1)).isoformat()):
            refused = client.get("/people", params={"as_of": wrong})
            assert (refused.status_code, refused.json()["code"]) == (400, "input.as_of"), wrong


def test_watching_is_committed_before_the_first_byte(office: Office) -> None:
    eve, aud = office.join("engineer"), office.join("auditor")
    session = office.session(eve)
    with office.client(aud) as client, client.stream("GET", f"/sessions/{session}/recording") as answer:
        watched = [each for each in entries(office, "recording.watched") if each.session == session]
        assert [(each.by, each.how) for each in watched] == [(aud, "asciicast")]
        assert answer.headers["content-type"] == "application/x-asciicast"
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert lines[0]["title"] == "app@dev-1"
    assert lines[-1][1] == "x"


def test_a_recording_that_is_altered_is_not_shown(office: Office) -> None:
    eve = office.join("engineer")
    session = office.session(eve)
    path: Path = recording_path(office.recordings, session)
    path.write_bytes(b"x" * 200)
    with office.client(eve) as client:
        broken = client.get(f"/sessions/{session}/recording")
        assert (broken.status_code, broken.json()["code"]) == (500, "gateway.fault")
        path.unlink()
        assert client.get(f"/sessions/{session}/recording").status_code == 404


def test_a_session_says_why_it_was_possible(office: Office) -> None:
    eve = office.join("engineer")
    session = office.session(eve, closed=True)
    with office.client(eve) as client:
        found = client.get(f"/sessions/{session}").json()
        running = client.get("/sessions", params={"status": "open"}).json()
    assert found["session"]["because"]["role"] == "engineer"
    assert found["session"]["verified"] is True
    assert found["session"]["counts"]["channels"] == 2
    assert [each["kind"] for each in found["why"]][:2] == ["role", "permission"]
    assert [each["kind"] for each in found["history"]] == ["session.opened", "session.closed"]
    assert found["head"]
    assert running == []


def test_others_sessions_are_not_listed(office: Office) -> None:
    eve, oda = office.join("engineer"), office.join("engineer")
    session = office.session(eve)
    with office.client(oda) as client:
        assert session not in {each["session"] for each in client.get("/sessions", params={"person": eve}).json()}
        assert client.get("/requests", params={"whose": "all"}).status_code == 403


def test_an_approval_is_for_what_was_shown(office: Office) -> None:
    eve, max_ = office.join("engineer"), office.join("manager")
    made = office.asked(eve)
    with office.client(max_) as client:
        waiting = [each for each in client.get("/inbox").json() if each["request"]["request"] == made.request]
        assert waiting[0]["under"] == "manager"
        assert waiting[0]["request"]["duration_seconds"] == 3600
        other = client.post(f"/requests/{made.request}/approve", json={"digest": "0" * 64})
        assert (other.status_code, other.json()["code"]) == (409, "request.digest")
        given = client.post(f"/requests/{made.request}/approve", json={"digest": made.digest}).json()
        assert parse(given["ends"]) - parse(given["starts"]) == HOUR
        again = client.post(f"/requests/{made.request}/approve", json={"digest": made.digest})
        assert (again.status_code, again.json()["code"]) == (409, "request.closed")
    refused = [each for each in entries(office, "request.approval_refused") if each.request == made.request]
    assert [each.code for each in refused] == ["request.digest"]


def test_an_approval_is_undone_until_it_takes_effect(office: Office) -> None:
    eve, max_ = office.join("engineer"), office.join("manager")
    made = office.asked(eve)
    here = f"/requests/{made.request}"
    with office.client(max_) as his, office.client(eve) as hers:
        given = his.post(f"{here}/approve", json={"digest": made.digest}).json()
        row = hers.get(here).json()["request"]
        assert (row["status"], row["grant_state"]) == ("approved", "starting")
        assert row["effective_at"] == given["starts"]
        assert parse(given["starts"]) - parse(row["decided"]) == UNDO
        assert hers.get("/access").json()["requestable"]
        assert not [each for each in hers.get("/access").json()["open"] if each["resource"] == "web-1"]
        assert his.post(f"{here}/undo").json() == {"done": True}
        row = hers.get(here).json()["request"]
        assert (row["status"], row["grant"], row["effective_at"]) == ("open", None, None)
        again = his.post(f"{here}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "request.nothing_to_undo")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b'{"resource": "web-1"}', 422),
        (b'{"resource": 1, "login": "app", "duration_seconds": 3600, "reason": "x"}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": "3600", "reason": "x"}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": 3600.5, "reason": "x"}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": true, "reason": "x"}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": 3600, "reason": "x", "more": 1}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": 60, "reason": "x"}', 422),
        (b'{"resource": "web-1", "login": "app", "duration_seconds": 3600, "reason": "a\\u202eb"}', 422),
        (b'{"resource": "web-1", "login": "nobody", "duration_seconds": 3600, "reason": "x"}', 422),
        (b" " * 70_000, 413),
    ],
)
def test_bodies_are_strict_and_bounded(office: Office, body: bytes, status: int) -> None:
    with office.client(office.join("engineer")) as client:
        answer = client.post("/requests", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"code", "message", "hint"}


def test_a_hint_that_leads_to_the_console_is_an_address(office: Office) -> None:
    wish = {"resource": "nowhere", "login": "app", "duration_seconds": 3600, "reason": "x"}
    with office.client(office.join("engineer")) as client:
        assert client.post("/requests", json=wish).json()["hint"] == f"See what you can reach: {office.url}/"


def test_a_body_without_a_length_is_bounded_too(office: Office) -> None:
    def endless() -> Any:
        for _ in range(200):
            yield b" " * 1024

    with office.client(office.join("engineer")) as client:
        answer = client.post("/requests", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_an_evidence_pack_leaves_nothing_behind(office: Office) -> None:
    with office.client(office.join("auditor")) as client:
        period = {"starts": "2026-01-01T00:00:00Z", "ends": "2026-02-01T00:00:00Z"}
        with client.stream("POST", "/evidence", json=period) as answer:
            assert list(office.folder.glob("*.zip")) == [], "whoever leaves now leaves nothing"
            assert (answer.status_code, len(answer.read())) == (200, 200_002)
        assert answer.headers["content-type"] == "application/zip"
        wrong = client.post("/evidence", json={**period, "ends": "2025-01-01T00:00:00Z"})
        assert wrong.status_code == 422
    assert list(office.folder.glob("*.zip")) == []


def test_links_for_administrators_need_a_second_one(office: Office) -> None:
    ada, bob, new = office.join("administrator"), office.join("administrator"), office.join("engineer")
    with office.client(ada) as client:
        link = client.post(f"/people/{new}/enrolment", json={}).json()
        assert link["link"].startswith(f"{office.url}/enrol/enr_")
        office.enrolled(bob)
        passkey = FactorEnrolled(
            new_id("fac", secrets.token_bytes), office.founder, FactorKind.PASSKEY, "1", None, None
        )
        office.record(passkey)
        held = client.post(f"/people/{bob}/enrolment", json={"reason": "lost the telephone"}).json()
        assert held["link"] is None
        own = client.post(f"/proposals/{held['enrolment']}/approve", json={})
        assert own.status_code == 403
    with office.client(office.join("administrator", age=6 * MINUTE)) as client:
        stale = client.post(f"/proposals/{held['enrolment']}/approve", json={})
        assert (stale.status_code, stale.json()["code"]) == (403, "factor.stale")
        hint = stale.json()["hint"]
        assert "onepam login" in hint, "stepping up in the console does not reach the CLI"
        assert hint.endswith(f"{office.url}/step-up")
    with office.client(office.join("administrator")) as client:
        agreed = client.post(f"/proposals/{held['enrolment']}/approve", json={}).json()
    assert agreed["link"].startswith(f"{office.url}/enrol/enr_")


def test_a_refusal_names_each_right_that_would_do() -> None:
    needs = Needs(sign_in=True, rights=frozenset({ConsoleRight.AUDIT, ConsoleRight.ADMINISTER}))
    said = _of_several(Refused("right.missing", "needs administer", "bind it"), needs)
    assert said.message == "This needs a role with the right to administer or audit; yours have none."
    stale = Refused("factor.stale", "Show it once more.")
    assert _of_several(stale, needs) == stale
