"""A real OpenID provider on loopback for tests, with accounts, keys, faults and logout under the test's control."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from onepam.egress.egress import Admitted, Egress
from tests.targets import free_port

HERE = Path(__file__).parent
START_SECONDS = 120.0

CLIENT_ID = "onepam"
CLIENT_SECRET = "a secret: 50% + &more="  # what a forgotten encoding would break


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at the provider; the `login` they type is their `sub`.

    `claims` are in the ID token and at the userinfo endpoint, `userinfo` only there. `amr`, `acr` are what their
    sign-in attests; `age` is how many seconds ago the provider says that it was.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    userinfo: Mapping[str, Any] = field(default_factory=dict)
    amr: tuple[str, ...] | None = None
    acr: str | None = None
    age: int = 0


@dataclass(slots=True)
class OidcProvider:
    """A running provider."""

    issuer: str
    port: int
    client_id: str
    client_secret: str
    accounts: dict[str, Account]

    @property
    def egress(self) -> Egress:
        """The rule that admits this provider, as the operator's configuration would (`egress`)."""
        return Egress((Admitted.parse(f"127.0.0.1/32:{self.port}"),))

    def person(self, login: str, **account: Any) -> None:
        """Add or replace an account, with the fields of `Account`."""
        self.accounts[login] = Account(**account)
        self.control(accounts={name: asdict(each) for name, each in self.accounts.items()})

    def rotate_keys(self) -> None:
        """New signing keys; the old ones vanish from its JWKS."""
        self.control(rotate=True)

    def sign_with(self, algorithm: str) -> None:
        """New keys for `RS256`, `PS256`, `ES256`, `ES384` or `EdDSA`."""
        self.control(algorithm=algorithm)

    def delay(self, path: str, seconds: float) -> None:
        """Answer a path (`/token`) so much later; 0 ends it."""
        self.control(delays={path: int(seconds * 1000)})

    def answer(self, path: str, **instead: Any) -> None:
        """Answer a path (`/jwks`) with `status`, `body`, `type`, `location` instead of the truth; nothing ends it."""
        self.control(answers={path: instead} if instead else {})

    def sign_out(self, subject: str, session: str) -> bool:
        """Send the client's back-channel logout URI a logout token, and say whether it was accepted."""
        return self.control(signOut={"client": self.client_id, "subject": subject, "session": session})

    def control(self, **changes: Any) -> bool:
        """Change the provider's state (see server.mjs)."""
        request = urllib.request.Request(f"{self.issuer}/control", json.dumps(changes).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30):
                return True
        except urllib.error.HTTPError as error:
            if error.code == 502:
                return False
            raise


@contextmanager
def running_oidc_provider(
    log: Path,
    *,
    redirect_uri: str,
    backchannel_logout_uri: str | None = None,
    post_logout_redirect_uri: str | None = None,
    accounts: Mapping[str, Account] | None = None,
) -> Iterator[OidcProvider]:
    """A provider with one confidential client and, at first, the given accounts. It logs to the file `log`."""
    people = dict(accounts or {})
    client: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [redirect_uri],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "post_logout_redirect_uris": [post_logout_redirect_uri] if post_logout_redirect_uri else [],
    }
    if backchannel_logout_uri is not None:
        client |= {"backchannel_logout_uri": backchannel_logout_uri, "backchannel_logout_session_required": True}
    state = {"clients": [client], "accounts": {name: asdict(each) for name, each in people.items()}}
    port = free_port()
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [node(), "server.mjs", str(port), json.dumps(state)],
            cwd=HERE, stdin=subprocess.DEVNULL, stdout=lines, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _await_ready(process, log)
        yield OidcProvider(f"http://127.0.0.1:{port}", port, CLIENT_ID, CLIENT_SECRET, people)
    finally:
        process.kill()
        process.wait(START_SECONDS)


def node() -> str:
    """The Node that installed the provider: the system's, else the one of the locked wheel (scripts/node.sh)."""
    chosen = HERE / "node_modules" / ".node"
    if chosen.exists():
        return chosen.read_text(encoding="utf-8").strip()
    found = shutil.which("node", path=os.environ.get("PATH"))
    if found is None:
        raise RuntimeError("There is no Node here: `make test` installs what the tests need.")
    return found


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while b"ready" not in log.read_bytes().splitlines():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The OpenID provider did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
