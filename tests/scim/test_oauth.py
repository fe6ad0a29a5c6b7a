"""Client credentials (RFC 6749, section 4.4): a secret that opens nothing but the exchange, and access of an hour."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from onepam.app.provisioning.scim_token import end_scim_token
from onepam.kernel.clock import HOUR, SECOND
from tests.scim.directory import Answered, Directory

pytestmark = pytest.mark.anyio
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    found.token = await found.new_token("entra", oauth=True)
    yield found
    found.company.close()


async def asked(
    directory: Directory, form: Mapping[str, str] | bytes, method: str = "POST", **headers: str
) -> Answered:
    raw = form if isinstance(form, bytes) else urlencode(form).encode()
    named = {"content-type": "application/x-www-form-urlencoded", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": "/scim/oauth/token",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("192.0.2.7", 40_000),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await directory.exchange(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert found["cache-control"] == "no-store"
    return Answered(sent[0]["status"], found, json.loads(sent[1]["body"]))


def posted(directory: Directory, **more: str) -> dict[str, str]:
    return {**GRANT, "client_id": directory.latest, "client_secret": directory.token, **more}


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


async def test_both_ways_to_show_the_secret_give_an_hour(directory: Directory) -> None:
    for answer in (
        await asked(directory, posted(directory, scope="anything")),
        await asked(directory, GRANT, authorization=basic(directory.latest, directory.token)),
    ):
        assert (answer.status, answer.body["token_type"], answer.body["expires_in"]) == (200, "Bearer", 3_600)
        access = answer.body["access_token"]
        assert (await directory.ask("GET", "/Users", token=access)).status == 200
        assert (await directory.ask("GET", "/Users", token=access[:-2] + "AA")).status == 401
    directory.company.clock.advance(HOUR)
    assert (await directory.ask("GET", "/Users", token=access)).status == 401


async def test_the_secret_itself_opens_nothing(directory: Directory) -> None:
    assert (await directory.ask("GET", "/Users")).status == 401


async def test_an_access_token_ends_with_its_token(directory: Directory) -> None:
    access = (await asked(directory, posted(directory))).body["access_token"]
    assert (await directory.ask("GET", "/Users", token=access)).status == 200
    company = directory.company
    assert await end_scim_token(company.ledger, company.actor("ada"), directory.latest, "leaked") is None
    assert (await directory.ask("GET", "/Users", token=access)).status == 401
    assert (await asked(directory, posted(directory))).body["error"] == "invalid_client"


async def test_only_tokens_that_were_approved_for_it(directory: Directory) -> None:
    directory.token = await directory.new_token("okta")
    answer = await asked(directory, posted(directory))
    assert (answer.status, answer.body["error"]) == (400, "unauthorized_client")
    directory.token = await directory.new_token("okta", oauth=True, approved=False)
    assert (await asked(directory, posted(directory))).status == 401
    directory.token = await directory.new_token("okta", oauth=True, networks=("203.0.113.0/24",))
    assert (await asked(directory, posted(directory))).status == 401


async def test_errors_are_those_of_the_standard(directory: Directory) -> None:
    good = posted(directory)
    right = basic(directory.latest, directory.token)
    for code, status, form, headers in (
        ("invalid_client", 401, {**good, "client_secret": "scim_" + "x" * 43}, {}),
        ("invalid_client", 401, {**good, "client_id": "stk_other"}, {}),
        ("invalid_client", 401, {**good, "client_secret": ""}, {}),
        ("invalid_client", 401, GRANT, {}),
        ("invalid_client", 401, GRANT, {"authorization": basic(directory.latest, "wrong")}),
        ("invalid_client", 401, GRANT, {"authorization": "Basic ?"}),
        ("invalid_client", 401, GRANT, {"authorization": "Bearer x"}),
        ("invalid_request", 400, good, {"authorization": right}),
        ("invalid_request", 400, {**good, "grant_type": ""}, {}),
        ("unsupported_grant_type", 400, {**good, "grant_type": "password"}, {}),
        ("invalid_request", 400, urlencode(good).encode() + b"&scope=a&scope=b", {}),
        ("invalid_request", 400, b"\xff", {}),
        ("invalid_request", 400, json.dumps(good).encode(), {"content-type": "application/json"}),
        ("invalid_request", 413, b"a=" + b"x" * 9_000, {}),
    ):
        directory.company.clock.advance(SECOND)
        answer = await asked(directory, form, **headers)
        assert (answer.status, answer.body["error"]) == (status, code), (form, answer)
        assert ("www-authenticate" in answer.headers) == (status == 401 and bool(headers))
    assert (await asked(directory, good, "GET")).status == 405


async def test_an_address_that_asks_too_often_waits(directory: Directory) -> None:
    found = [(await asked(directory, posted(directory))).status for _ in range(15)]
    assert found[0] == 200
    assert found[-1] == 429
    directory.company.clock.advance(SECOND)
    assert (await asked(directory, posted(directory))).status == 200


async def test_it_stands_beside_scim_on_the_gateway(directory: Directory) -> None:
    app = Starlette(routes=[Mount("/scim/v2", directory.door), Route("/scim/oauth/token", directory.exchange)])
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.7", 40_000))
    async with httpx2.AsyncClient(transport=transport, base_url="https://pam.example.com") as http:
        given = await http.post("/scim/oauth/token", data=GRANT, auth=(directory.latest, directory.token))
        assert given.status_code == 200
        bearer = {"authorization": f"Bearer {given.json()['access_token']}"}
        assert (await http.get("/scim/v2/Users", headers=bearer)).status_code == 200
