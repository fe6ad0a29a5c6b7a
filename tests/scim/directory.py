"""A directory that speaks SCIM to a small company: the door itself, without a port between."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

from onepam.app.provisioning.provision_user import agree_to_takeover
from onepam.app.provisioning.scim_token import approve_scim_token, propose_scim_token
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.domain.provisioning.take_over import Shown
from onepam.domain.provisioning.tokens import END_ATTRIBUTE, TokenWish
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.scim.app import TOKEN_PREFIX, ScimDoor
from onepam.scim.oauth import TokenDoor
from onepam.scim.services import ScimServices
from onepam.store.read.provisioned import troubled
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import Company, Counted

URL = "https://pam.example.com/scim/v2"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as a client reads it."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Directory:
    """A client with a token, and the company it speaks to."""

    def __init__(self, company: Company, random: Counted, url: str) -> None:
        self.company = company
        self.traffic = ScimTraffic()
        self.random = random
        keys = FileKeys.create(company.path.parent / "master.keys", token_bytes)
        self.services = services = ScimServices(
            company.ledger, company.reader, company.clock, random, self.traffic, url, url, Envelope(keys, token_bytes)
        )
        self.door = ScimDoor(services)
        self.exchange = TokenDoor(services)
        self.token = self.latest = ""

    @classmethod
    async def create(cls, folder: Path, url: str = URL) -> "Directory":
        """The company of the tests, with a token that bob proposed and ada approved."""
        found = cls(await Company.create(folder), Counted(), url)
        found.token = await found.new_token("okta")
        return found

    async def new_token(
        self,
        provider: str,
        networks: tuple[str, ...] = (),
        approved: bool = True,
        oauth: bool = False,
        domains: tuple[str, ...] = (),
    ) -> str:
        """Another token; `latest` is its id."""
        token = new_token(TOKEN_PREFIX, self.random)
        wish = TokenWish(
            token=self.company.new("stk"),
            provider=provider,
            name=f"{provider} provisioning",
            networks=networks,
            end_attribute=END_ATTRIBUTE,
            ends=Instant(self.company.clock() + 300 * DAY),
            digest=token_digest(token).hex(),
            oauth=oauth,
            domains=domains,
        )
        self.latest = wish.token
        assert await propose_scim_token(self.company.ledger, self.company.actor("bob"), wish) is None
        if approved:
            assert await approve_scim_token(self.company.ledger, self.company.actor("ada"), wish.token) is None
        return token.reveal().decode()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answered:
        """One request; `path` may have a query. A body that is bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        place, _, query = path.partition("?")
        named = {
            "authorization": f"Bearer {self.token if token is None else token}",
            "content-type": "application/scim+json",
            **(headers or {}),
        }
        scope = {
            "type": "http",
            "method": method,
            "path": f"/scim/v2{place}",
            "root_path": "/scim/v2",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("192.0.2.7", 40_000),
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.door(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(each.get("body", b"") for each in sent[1:])
        return Answered(sent[0]["status"], found, json.loads(text) if text else None)

    async def user(self, name: str, **more: Any) -> Any:
        """A user as Okta makes one: its JSON."""
        document = {
            "schemas": [CORE],
            "userName": f"{name}@corp.example",
            "name": {"givenName": name.title(), "familyName": "Muster"},
            "emails": [{"primary": True, "value": f"{name}@corp.example", "type": "work"}],
            "active": True,
            **more,
        }
        made = await self.ask("POST", "/Users", document)
        assert made.status == 201, made
        return made.body

    async def takes_over(self, user_name: str, token: str | None = None) -> str:
        """A user with the address of somebody who was added by hand, and ada's yes to it: its id."""
        made = await self.ask("POST", "/Users", {"userName": user_name}, token=token)
        assert made.status == 201, made
        agreed = await self.agrees(made.body["id"])
        assert isinstance(agreed, str), agreed
        return str(made.body["id"])

    async def agrees(self, user: str, by: str = "ada") -> str | Refused:
        """An administrator's yes to what the page shows of this user."""
        (shown,) = (each for each in self.company.reader.now(troubled) if each.user == user)
        seen = Shown(user, shown.version, shown.waits_for or "")
        return await agree_to_takeover(self.company.ledger, self.company.actor(by), seen)

    async def group(self, name: str, *users: str) -> Any:
        """A group with these users: its JSON."""
        members = [{"value": each} for each in users]
        made = await self.ask("POST", "/Groups", {"displayName": name, "members": members})
        assert made.status == 201, made
        return made.body

    async def patch(self, path: str, *operations: Any, headers: Mapping[str, str] | None = None) -> Answered:
        """A PATCH with these operations."""
        return await self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, headers)
