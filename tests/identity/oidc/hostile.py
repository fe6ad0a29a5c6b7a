"""A provider of our own making, which says and signs whatever a test wants: for attacks that no real one would play."""

import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwk
from joserfc.jwa import JWS_ALGORITHMS

from onepam.egress.egress import Admitted, Egress
from onepam.identity.oidc.relying_party import Begun, Received, RelyingParty
from onepam.identity.oidc.settings import OidcSettings, parse
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from tests.identity.oidc.flow import now

CONSOLE = "https://pam.example.com"
PROVIDER = "pro_hostile"
CLIENT = "onepam"
ACCESS_TOKEN = "an-access-token"  # a fixture's, of no use anywhere

RSA = jwk.generate_key("RSA", 2048)
EC = jwk.generate_key("EC", "P-256")
OTHER = jwk.generate_key("RSA", 2048)


@dataclass
class Answer:
    """What a path is answered with."""

    body: bytes | str | Mapping[str, Any] = b""
    status: int = 200
    type: str = "application/json"
    location: str = ""
    wait_seconds: float = 0.0

    def content(self) -> bytes:
        if isinstance(self.body, Mapping):
            return json.dumps(self.body).encode()
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass
class Hostile:
    """The provider: `answers` by path, and how often each was asked."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def egress(self) -> Egress:
        return Egress((Admitted.parse(f"127.0.0.1/32:{self.port}"),))

    def configuration(self, **changes: Any) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            **changes,
        }
        return {name: value for name, value in said.items() if value is not None}

    def publish(self, *keys: Mapping[str, Any]) -> None:
        self.answers["/jwks"] = Answer({"keys": list(keys)})

    def settings(self, **fields: Any) -> OidcSettings:
        mapping = {"issuer": self.issuer, "client_id": CLIENT, "claims": {"user_name": "sub"}, **fields}
        found = parse(PROVIDER, CONSOLE, mapping, Secret(b"secret"))
        assert isinstance(found, OidcSettings), found
        return found

    def claims(self, begun: Begun, **changes: Any) -> dict[str, Any]:
        second = begun.at // 1_000_000
        good = {
            "iss": self.issuer, "aud": CLIENT, "sub": "somebody", "nonce": begun.nonce,
            "iat": second, "exp": second + 300,
        }  # fmt: skip
        return {name: value for name, value in (good | changes).items() if value is not ...}

    def gives(self, id_token: str, **changes: Any) -> None:
        answer = {"id_token": id_token, "access_token": ACCESS_TOKEN, "token_type": "Bearer", **changes}
        self.answers["/token"] = Answer({name: value for name, value in answer.items() if value is not ...})


def public(key: jwk.Key, **members: Any) -> dict[str, Any]:
    """The key as a JWKS shows it."""
    shown = {**key.as_dict(private=False), "kid": "one", "use": "sig", **members}
    return {name: value for name, value in shown.items() if value is not ...}


def minted(
    claims: Mapping[str, Any] | bytes,
    key: jwk.Key | bytes = RSA,
    algorithm: str = "RS256",
    kid: str | None = "one",
    **header: Any,
) -> str:
    """A token signed as told, sensible or not."""
    head = {"alg": algorithm, **({"kid": kid} if kid is not None else {}), **header}
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    said = f"{b64(json.dumps(head).encode())}.{b64(body)}"
    if isinstance(key, bytes):
        return f"{said}.{b64(hmac.digest(key, said.encode(), 'sha256'))}"
    model = next((each for each in JWS_ALGORITHMS if each.name == algorithm), None)
    signature = b"" if model is None or algorithm == "none" else model.sign(said.encode(), key)
    return f"{said}.{b64(signature)}"


async def begun_at(party: RelyingParty, hostile: Hostile, **fields: Any) -> Begun:
    begun = await party.begin(hostile.settings(**fields), secrets.token_bytes, now())
    assert isinstance(begun, Begun), begun
    return begun


async def finished(party: RelyingParty, hostile: Hostile, begun: Begun, **fields: Any) -> Received | Refused:
    """What becomes of the answer, at the instant at which the sign-in began."""
    return await party.finish(hostile.settings(**fields), f"code=c&state={begun.state}", begun, begun.at)


def outcome_of(outcome: object) -> str:
    """The refusal's code, or `accepted`."""
    return outcome.code if isinstance(outcome, Refused) else "accepted"


def at_hash(token: str) -> str:
    return b64(sha256(token.encode()).digest()[:16])


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def hostile_provider() -> Iterator[Hostile]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._answer()

        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            provider.asked.append(path)
            answer = provider.answers.get(path, Answer(status=404))
            time.sleep(answer.wait_seconds)
            content = answer.content()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(content)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        provider = Hostile(server.server_port)
        provider.answers["/.well-known/openid-configuration"] = Answer(provider.configuration())
        provider.publish(public(RSA), public(EC, kid="two"))
        thread = threading.Thread(target=lambda: server.serve_forever(0.02))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
