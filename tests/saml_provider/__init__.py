"""A real SAML identity provider for tests: SimpleSAMLphp on PHP's own server, in a directory of the test.

    with running_saml_provider(tmp_path) as idp:
        metadata = idp.metadata()                        # what a service provider reads
        idp.trust(sp_metadata)                           # our metadata, as bytes; at any time, again to change it
        idp.set(sign_response=True, encrypt=True)  # at any time
        ...                                              # a browser, or `Browser` below, signs in as USERS["ada"]

Its sign-in form has the fields `username` and `password` (`Browser` fills them; so does Playwright) and its pages post
the answer to the service provider by script, or by the form's button where there is none.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

INSTALLED = Path("/usr/share/simplesamlphp")
START_SECONDS = 120.0

PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
MFA_CONTEXT = "https://refeds.org/profile/mfa"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody at the provider. `context` is the AuthnContextClassRef of their assertions."""

    name: str
    password: str
    context: str = PASSWORD_CONTEXT
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


USERS = {
    "ada": User(
        "ada",
        "ada-password",
        MFA_CONTEXT,
        {
            "uid": ("u-1001",),
            "email": ("ada@example.com",),
            "name": ("Ada Lindt",),
            "groups": ("Engineering", "On call"),
            "authnmethods": ("http://schemas.microsoft.com/claims/multipleauthn",),
        },
    ),
    "ben": User(
        "ben",
        "ben-password",
        PASSWORD_CONTEXT,
        {"uid": ("u-1002",), "email": ("ben@example.com",), "name": ("Ben Okafor",), "groups": ("Support",)},
    ),
}
"""`ada` signs in with a second factor, by what the provider says; `ben` without one."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How the provider behaves. It encrypts with AES-CBC and knows nothing else."""

    sign_assertion: bool = True
    sign_response: bool = False
    encrypt: bool = False
    name_id: str = PERSISTENT
    name_id_attribute: str = "uid"
    validate_requests: bool = True
    signing_key: str = "one"
    """Which of its two keys signs: "one" or "two"."""
    published: tuple[str, ...] = ("one",)
    """Which certificates its metadata names."""
    refuses: bool = False
    """Answers every request with NoAuthnContext."""


@dataclass(slots=True)
class SamlProvider:
    """A running provider."""

    url: str
    directory: Path
    users: Mapping[str, User]
    choices: Choices = field(default_factory=Choices)
    process: subprocess.Popen[bytes] | None = None

    @property
    def entity_id(self) -> str:
        return f"{self.url}/saml2/idp/metadata.php"

    def metadata(self) -> bytes:
        """Its metadata, read over HTTP."""
        answer = httpx2.get(self.entity_id, timeout=START_SECONDS)
        answer.raise_for_status()
        return answer.content

    def certificate(self, key: str = "one") -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.directory / "cert" / f"{key}.pem").read_bytes())

    def trust(self, sp_metadata: bytes) -> None:
        """Know that service provider, and no other."""
        _write(self.directory / "sp.xml", sp_metadata)

    def set(self, **changes: object) -> None:
        """Change how it behaves; see `Choices`."""
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]
        _write(self.directory / "metadata" / "saml20-idp-hosted.php", _hosted(self).encode())

    @property
    def log(self) -> str:
        path = self.directory / "log" / "simplesamlphp.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start its server; again after `stop`, on the same port, with what it knew."""
        port = self.url.rpartition(":")[2]
        command = ["php", "-d", "display_errors=0", "-d", "opcache.enable=0"]  # else a changed file is seen 2 s later
        command += ["-S", f"127.0.0.1:{port}", "-t", str(INSTALLED / "www")]
        environment = {
            **os.environ,
            "SIMPLESAMLPHP_CONFIG_DIR": str(self.directory / "config"),
            "PHP_CLI_SERVER_WORKERS": "2",
        }
        with (self.directory / "php.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.metadata()
                return
            except httpx2.HTTPError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise RuntimeError(f"SimpleSAMLphp does not answer: {error}\n{self.log[-4000:]}") from error
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server and its workers."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(START_SECONDS)
            self.process = None


@contextmanager
def running_saml_provider(directory: Path, users: Mapping[str, User] = USERS) -> Iterator[SamlProvider]:
    """A provider with these users, until the end of the block."""
    assert (INSTALLED / "www" / "module.php").exists(), "the Debian package simplesamlphp is missing"
    assert shutil.which("php"), "the Debian package php-cli is missing"
    for name in ("config", "metadata", "cert", "log", "data", "temp", "sessions"):
        (directory / name).mkdir(parents=True)
    for name in ("one", "two"):
        _make_key(directory / "cert", name)
    provider = SamlProvider(f"http://127.0.0.1:{_free_port()}", directory, users)
    (directory / "config" / "config.php").write_text(_config(provider), encoding="utf-8")
    (directory / "config" / "authsources.php").write_text(_sources(users), encoding="utf-8")
    shutil.copytree(INSTALLED / "config" / "attributemap", directory / "config" / "attributemap")
    provider.trust(_NOBODY)
    provider.set()
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


_NOBODY = b"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:nobody">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="http://localhost:1/"
 index="0"/></SPSSODescriptor></EntityDescriptor>"""


def _write(path: Path, data: bytes) -> None:
    """In one step: the server may be reading."""
    aside = path.with_suffix(".new")
    aside.write_bytes(data)
    aside.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_key(directory: Path, name: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"idp {name}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (directory / f"{name}.key").write_bytes(private)
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _php(value: object) -> str:
    """A PHP literal."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case Mapping():
            return "[" + ", ".join(f"{_php(key)} => {_php(item)}" for key, item in value.items()) + "]"
        case tuple() | list():
            return "[" + ", ".join(_php(item) for item in value) + "]"
        case _:
            raise TypeError(f"no PHP literal for {value!r}")


def _config(provider: SamlProvider) -> str:
    folder = provider.directory
    settings = {
        "baseurlpath": f"{provider.url}/",
        "application": {"baseURL": provider.url},
        "certdir": f"{folder}/cert/",
        "loggingdir": f"{folder}/log/",
        "datadir": f"{folder}/data/",
        "tempdir": f"{folder}/temp",
        "metadatadir": f"{folder}/metadata/",
        "attributenamemapdir": f"{folder}/config/attributemap/",
        "technicalcontact_email": "nobody@example.com",
        "timezone": "UTC",
        "secretsalt": "only for tests on this machine",
        "auth.adminpassword": "only for tests on this machine",
        "admin.checkforupdates": False,
        "showerrors": True,
        "errorreporting": False,
        "logging.handler": "file",
        "logging.level": 7,
        "logging.logfile": "simplesamlphp.log",
        "enable.saml20-idp": True,
        "module.enable": {"exampleauth": True, "core": True, "saml": True},
        "session.cookie.secure": False,
        "session.cookie.samesite": "Lax",
        "session.cookie.name": "SamlProviderSession",
        "session.phpsession.cookiename": "SamlProvider",
        "session.phpsession.savepath": f"{folder}/sessions",
        "session.authtoken.cookiename": "SamlProviderToken",
        "store.type": "phpsession",
        "language.default": "en",
        "language.available": ["en"],
        "language.cookie.secure": False,
        "trusted.url.domains": ["localhost", "127.0.0.1"],
        "enable.http_post": True,
        "metadata.sources": [{"type": "flatfile"}, {"type": "xml", "file": f"{folder}/sp.xml"}],
    }
    return f"<?php\n$config = {_php(settings)};\n"


def _sources(users: Mapping[str, User]) -> str:
    accounts = {
        f"{user.name}:{user.password}": {**user.attributes, "context": (user.context,)} for user in users.values()
    }
    source = ", ".join(f"{_php(login)} => {_php(attributes)}" for login, attributes in accounts.items())
    return f"<?php\n$config = ['users' => ['exampleauth:UserPass', {source}]];\n"


def _hosted(provider: SamlProvider) -> str:
    choices = provider.choices
    filters: dict[int, object] = {
        # Which context the assertion names, is in an attribute of the account.
        10: {
            "class": "core:PHP",
            "code": "$state['saml:AuthnContextClassRef'] = $attributes['context'][0]; unset($attributes['context']);",
        },
        20: {"class": "saml:AttributeNameID", "attribute": choices.name_id_attribute, "Format": choices.name_id},
    }
    if choices.refuses:
        error = r"new \SimpleSAML\Module\saml\Error\NoAuthnContext('urn:oasis:names:tc:SAML:2.0:status:Responder')"
        code = rf"\SimpleSAML\Auth\State::throwException($state, {error});"
        filters[5] = {"class": "core:PHP", "code": code}
    settings: dict[str, object] = {
        "host": "__DEFAULT__",
        "auth": "users",
        "privatekey": f"{choices.signing_key}.key",
        "certificate": f"{choices.signing_key}.pem",
        "saml20.sign.assertion": choices.sign_assertion,
        "saml20.sign.response": choices.sign_response,
        "sign.logout": True,
        "redirect.sign": True,
        "validate.logout": True,
        "validate.authnrequest": choices.validate_requests,
        "redirect.validate": choices.validate_requests,
        "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "SingleSignOnServiceBinding": [
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        ],
        "SingleLogoutServiceBinding": [
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        ],
        "NameIDFormat": choices.name_id,
        "assertion.encryption": choices.encrypt,
        "authproc": filters,
    }
    others = [name for name in choices.published if name != choices.signing_key]
    if others:
        settings["new_privatekey"] = f"{others[0]}.key"
        settings["new_certificate"] = f"{others[0]}.pem"
    return f"<?php\n$metadata[{_php(provider.entity_id)}] = {_php(settings)};\n"
