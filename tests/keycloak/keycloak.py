"""A real Keycloak on loopback for tests, set up by its administration API as docs/providers/keycloak.md says."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.targets import free_port

HOME = Path(__file__).parent / "dist" / "keycloak-26.7.5"
START_SECONDS = 300.0
REALM = "corp"
OTP_KEY = b"the-key-of-adas-telephone-is-long"


@dataclass
class Keycloak:
    """A running one, with the realm `corp`."""

    port: int
    _token: tuple[str, float] = field(default=("", 0.0))

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/realms/{REALM}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the administration API below `/admin/realms`; the JSON of the answer, or where it was made."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/admin/realms{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {self._admin()}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return json.loads(text) if text else answer.headers.get("Location", "").rpartition("/")[2]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def _admin(self) -> str:
        token, until = self._token
        if time.monotonic() < until:
            return token
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        url = f"http://127.0.0.1:{self.port}/realms/master/protocol/openid-connect/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=60) as answer:
            self._token = json.load(answer)["access_token"], time.monotonic() + 30
        return self._token[0]

    def metadata(self) -> bytes:
        """The realm's SAML metadata."""
        with urllib.request.urlopen(f"{self.issuer}/protocol/saml/descriptor", timeout=60) as answer:
            found: bytes = answer.read()
        return found

    def person(self, name: str, email: str, *, otp: bool, groups: tuple[str, ...] = ()) -> str:
        """Somebody with a password (`NAME-password`) and perhaps an authenticator app: their id."""
        credentials: list[dict[str, Any]] = [{"type": "password", "value": f"{name}-password", "temporary": False}]
        if otp:
            kind = {"subType": "totp", "digits": 6, "period": 30, "algorithm": "HmacSHA1", "counter": 0}
            credentials.append(
                {
                    "type": "otp",
                    "secretData": json.dumps({"value": OTP_KEY.decode()}),
                    "credentialData": json.dumps(kind),
                }
            )
        first, _, last = name.title().partition(" ")
        user = {
            "username": name, "email": email, "emailVerified": True, "enabled": True, "firstName": first,
            "lastName": last or "Lindt", "credentials": credentials, "groups": [f"/{each}" for each in groups],
        }  # fmt: skip
        return str(self.ask("POST", f"/{REALM}/users", user))

    def references(self, max_age: int | None) -> None:
        """Step 5 of the guide: what each step of the browser flow is called in `amr`, and for how long (seconds)."""
        called = {"auth-username-password-form": "pwd", "auth-otp-form": "otp"}
        for each in self.ask("GET", f"/{REALM}/authentication/flows/browser/executions"):
            if (reference := called.get(each.get("providerId", ""))) is None:
                continue
            config = {"default.reference.value": reference}
            if max_age is not None:
                config["default.reference.maxAge"] = str(max_age)
            said = {"alias": f"onepam-{reference}", "config": config}
            if each.get("authenticationConfig"):
                self.ask("PUT", f"/{REALM}/authentication/config/{each['authenticationConfig']}", said)
            else:
                self.ask("POST", f"/{REALM}/authentication/executions/{each['id']}/config", said)

    def openid_client(self, redirect: str, post_logout: str, backchannel: str, secret: str) -> str:
        """Steps 1 to 4 and 6 of the guide: the client's id within Keycloak."""
        mappers = [
            _mapper("groups", "oidc-group-membership-mapper", {"claim.name": "groups", "full.path": "false"}),
            _mapper("amr", "oidc-amr-mapper", {}),
        ]
        client = {
            "clientId": "onepam", "protocol": "openid-connect", "publicClient": False, "secret": secret,
            "standardFlowEnabled": True, "directAccessGrantsEnabled": False, "implicitFlowEnabled": False,
            "redirectUris": [redirect], "frontchannelLogout": False, "protocolMappers": mappers,
            "attributes": {
                "post.logout.redirect.uris": post_logout, "backchannel.logout.url": backchannel,
                "backchannel.logout.session.required": "false", "pkce.code.challenge.method": "S256",
            },
        }  # fmt: skip
        return str(self.ask("POST", f"/{REALM}/clients", client))

    def saml_client(self, entity: str, acs: str, slo: str, certificate: str) -> str:
        """The SAML client as the guide says."""
        mappers = [
            _saml("email", "saml-user-property-mapper", {"user.attribute": "email", "attribute.name": "email"}),
            _saml("name", "saml-user-property-mapper", {"user.attribute": "firstName", "attribute.name": "name"}),
            _saml(
                "groups",
                "saml-group-membership-mapper",
                {"attribute.name": "groups", "full.path": "false", "single": "true"},
            ),
        ]
        client = {
            "clientId": entity, "protocol": "saml", "redirectUris": [acs], "frontchannelLogout": True,
            "protocolMappers": mappers,
            "attributes": {
                "saml.assertion.signature": "true", "saml.server.signature": "true",
                "saml.signature.algorithm": "RSA_SHA256", "saml.client.signature": "true",
                "saml.signing.certificate": certificate, "saml.force.post.binding": "true",
                "saml_name_id_format": "persistent", "saml_force_name_id_format": "true",
                "saml_assertion_consumer_url_post": acs, "saml_single_logout_service_url_post": slo,
                "saml_single_logout_service_url_redirect": slo, "saml.authnstatement": "true",
            },
        }  # fmt: skip
        return str(self.ask("POST", f"/{REALM}/clients", client))


def _mapper(name: str, kind: str, config: Mapping[str, str]) -> dict[str, Any]:
    said = {"id.token.claim": "true", "access.token.claim": "false", "userinfo.token.claim": "false", **config}
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": said}


def _saml(name: str, kind: str, config: Mapping[str, str]) -> dict[str, Any]:
    said = {"attribute.nameformat": "Basic", "friendly.name": name, **config}
    return {"name": name, "protocol": "saml", "protocolMapper": kind, "config": said}


@contextmanager
def running_keycloak(log: Path) -> Iterator[Keycloak]:
    """One that forgets everything when it ends, with the realm `corp` and its group Engineering."""
    port = free_port()
    environment = {
        **os.environ,
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
    }
    command = [
        str(HOME / "bin" / "kc.sh"), "start", "--optimized", "--http-enabled=true", "--hostname-strict=false",
        "--http-host=127.0.0.1", f"--http-port={port}",
    ]  # fmt: skip
    with log.open("wb") as lines:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the script starts Java: both are ended
        )
    try:
        found = Keycloak(port)
        _await_ready(process, found, log)
        found.ask("POST", "", {"realm": REALM, "enabled": True, "sslRequired": "none"})
        found.ask("POST", f"/{REALM}/groups", {"name": "Engineering"})
        yield found
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _await_ready(process: subprocess.Popen[bytes], found: Keycloak, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            found.ask("GET", "/master")
            return
        except (OSError, RuntimeError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Keycloak did not start:\n{log.read_text(errors='replace')[-3000:]}") from None
            time.sleep(0.5)
