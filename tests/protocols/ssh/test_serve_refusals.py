"""Who and what does not get in: each is told why at the stock client, each act is in the ledger, and nothing opens."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.access.model import Mode
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened, SessionRefused
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.clock import HOUR, Instant
from onepam.protocols.ssh import session as session_module
from onepam.vault.authorities import PERSON_PREFIX
from tests.gateway_fixture import (
    STANDING,
    Gateway,
    certificate_of,
    keygen,
    outcome,
    running_gateway,
    shown_code,
    signed_in,
)
from tests.targets import descendants

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def test_the_way_in(gateway: Gateway) -> None:
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "echo hello; exit 3"))
    assert (done.status, done.stdout) == (3, b"hello\n")
    assert [each.because for each in await gateway.ended(person) if isinstance(each, SessionClosed)] == [
        "client.closed"
    ]


async def test_a_key_that_nobody_has_registered(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False)
    before = len(gateway.events(SessionRefused))
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert done.status == 255
    assert "No key that you offered is known here." in done.stderr
    assert "onepam login" in done.stderr
    assert len(gateway.events(SessionRefused)) == before  # nobody known has acted, and strangers write no history


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"])
async def test_each_host_key_is_certified_for_the_gateway(gateway: Gateway, kind: str) -> None:
    person = await gateway.person()
    asked = ("-o", f"HostKeyAlgorithms={kind}-cert-v01@openssh.com", "true")
    assert (await gateway.run(*gateway.ssh(person, *asked))).status == 0


async def test_a_signature_with_sha_1_is_refused_with_words(gateway: Gateway) -> None:
    person = await gateway.person(certificate=False)
    person.key.unlink()
    keygen(person.key, "-t", "rsa", "-b", "3072")
    await gateway.record(gateway.registration(person))
    banners: list[str] = []

    class Client(asyncssh.SSHClient):
        def auth_banner_received(self, msg: str, lang: str) -> None:
            banners.append(msg)

    async def signs(*algorithms: str) -> None:
        async with asyncssh.connect(
            "127.0.0.1", gateway.platform.ssh_port, username=f"{gateway.target.login}@nowhere", known_hosts=None,
            config=None, client_factory=Client, client_keys=[str(person.key)], signature_algs=algorithms,
        ):  # fmt: skip
            pass

    with pytest.raises(asyncssh.PermissionDenied):
        await signs("ssh-rsa")
    assert "signs with SHA-1" in "".join(banners)
    banners.clear()
    with pytest.raises(asyncssh.PermissionDenied):
        await signs("rsa-sha2-256")
    assert "There is no such target" in "".join(banners)
    assert re.search(r"See what you can reach: https?://[^/\s]+/\s", "".join(banners)), "an address, not a bare slash"


@pytest.mark.parametrize(
    ("user", "code", "words"),
    [
        ("{login}@nowhere", "resource.unknown", "There is no such target in your catalogue."),
        ("other@web-1", "access.login", "You may not use the login other on web-1."),
        ("{login}", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("@web-1", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("bob@corp.example@web-1", "access.login", "You may not use the login bob@corp.example on web-1."),
        ("CORP\\Bob@Web-1", "access.login", "You may not use the login CORP\\Bob on web-1."),
        ("{login}@web-1@", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("{login}@web-1@corp@web-1", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("{login}@../web-1", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("root+x@web-1", "access.login", "You may not use the login root+x on web-1."),
        ("röot@web-1", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
        ("x" * 900 + "@web-1", "ssh.user", "ssh LOGIN@TARGET@GATEWAY"),
    ],
)
async def test_a_target_or_login_that_is_none(gateway: Gateway, user: str, code: str, words: str) -> None:
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "id", user=user.format(login=gateway.target.login)))
    assert (done.status, done.stdout) == (255, b"")
    assert words in done.stderr
    assert [each.code for each in gateway.events(SessionRefused, person)] == [code]


@pytest.mark.parametrize("login", ["bob@corp.example", "CORP\\Bob", "Bob.Builder", "host$"])
async def test_a_login_reaches_the_target_as_it_was_typed(gateway: Gateway, login: str) -> None:
    """The target's sshd has no such account, and says in its log who was asked for."""
    await gateway.record(gateway.resource("web-2.example.com", logins=(login,)))
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "id", user=f"{login}@Web-2.Example.COM"))
    assert f"the target does not admit us as {login}" in done.stderr
    assert f"user {login.replace(chr(92), chr(92) * 2)} " in gateway.target.log
    assert [each.login for each in gateway.events(SessionOpened, person)] == [login]


async def test_a_target_in_capitals_is_the_same_target(gateway: Gateway) -> None:
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "echo reached", user=f"{gateway.target.login}@WEB-1"))
    assert done.stdout == b"reached\n", done.stderr


async def test_a_target_outside_the_catalogue_looks_like_none(gateway: Gateway) -> None:
    await gateway.record(gateway.resource("secret-1", labels={"env": "vault"}))
    person = await gateway.person()
    seen, unseen = [
        await gateway.run(*gateway.ssh(person, "id", user=f"{gateway.target.login}@{name}"))
        for name in ("secret-1", "secret-2")
    ]
    assert seen.stderr.replace("secret-1", "") == unseen.stderr.replace("secret-2", "")


CERTIFICATES: list[tuple[dict[str, Any], str, str]] = [
    ({"valid_after": 0, "valid_before": 1000}, "certificate.expired", "has expired"),
    ({"valid_after": "+10m", "valid_before": "+20m"}, "certificate.not_yet_valid", "is not valid yet"),
    ({"principals": []}, "certificate.principals", "exactly one person"),
    ({"principals": ["root"]}, "certificate.principals", "exactly one person"),
    ({"principals": ["root,admin"]}, "certificate.principals", "exactly one person"),
    ({"principals": [f"{PERSON_PREFIX}per_{'a' * 16}", f"{PERSON_PREFIX}per_{'b' * 16}"]},
     "certificate.principals", "exactly one person"),
    ({"force_command": "id"}, "certificate.critical_option", "a restriction that OnePAM does not know"),
    ({"source_address": ["192.0.2.0/24"]}, "certificate.source_address", "may not be used from your address"),
    ({"valid_before": "+52w"}, "certificate.lifetime", "longer than OnePAM ever issues"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "code", "words"), CERTIFICATES, ids=[each[1] for each in CERTIFICATES])
async def test_a_certificate_of_ours_that_is_not_good(
    gateway: Gateway, changed: dict[str, Any], code: str, words: str
) -> None:
    person = await gateway.person()
    gateway.forge(person, **changed)
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert (done.status, done.stdout) == (255, b"")
    assert words in done.stderr
    refused = [each for each in gateway.events(SessionRefused) if each.asked == f"{gateway.target.login}@web-1"]
    assert refused[-1].code == code
    assert refused[-1].person == (None if "principals" in changed else person.id)
    assert gateway.events(SessionOpened, person) == []


async def test_a_host_certificate_of_ours_does_not_sign_a_person_in(gateway: Gateway) -> None:
    """OpenSSH would not even offer it; other clients do."""
    person = await gateway.person()
    gateway.forge(person, host=True)
    told: list[str] = []

    class Client(asyncssh.SSHClient):
        def auth_banner_received(self, msg: str, lang: str) -> None:
            told.append(msg)

    key = asyncssh.read_private_key(str(person.key))
    certificate = asyncssh.read_certificate(str(certificate_of(person)))
    certificate._cert_type = 1  # type: ignore[attr-defined] # what this client looks at; the bytes it sends stay a host's
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1", gateway.platform.ssh_port, username=f"{gateway.target.login}@web-1", known_hosts=None,
            config=None, agent_path=None, client_keys=[(key, certificate)], client_factory=Client,
        )  # fmt: skip
    assert "a host's certificate" in "".join(told)
    assert [each.code for each in gateway.events(SessionRefused, person)] == ["certificate.host_certificate"]


async def test_certificates_of_other_authorities(gateway: Gateway) -> None:
    """The target's and the host's CA, a stranger's, and a certificate used as an authority: none speaks for people."""
    authorities = gateway.platform.authorities
    person, other = await gateway.person(), await gateway.person()
    for key in (
        authorities.target._key,
        authorities.host._key,
        asyncssh.generate_private_key("ssh-ed25519"),
        asyncssh.read_private_key(str(other.key)),
    ):
        gateway.forge(person, key)
        done = await gateway.run(*gateway.ssh(person, "id"))
        assert (done.status, done.stdout) == (255, b"")
        assert "was not issued by OnePAM's authority for people" in done.stderr
    assert gateway.events(SessionOpened, person) == []


async def test_a_stolen_certificate_without_its_key(gateway: Gateway) -> None:
    thief, person = await gateway.person(), await gateway.person()
    certificate_of(thief).write_bytes(certificate_of(person).read_bytes())
    done = await gateway.run(*gateway.ssh(thief, "id"))
    assert done.status == 255
    assert gateway.events(SessionOpened, person) == gateway.events(SessionOpened, thief) == []


async def test_a_bad_certificate_leaves_the_way_of_the_registered_key(gateway: Gateway) -> None:
    person = await gateway.person(registered=True)
    gateway.forge(person, valid_after=0, valid_before=1000)
    process = await gateway.start(*gateway.ssh(person, "id"))
    assert (await shown_code(process))[0].startswith("cnf_")
    process.terminate()
    await outcome(process, None)
    async with asyncio.timeout(10):
        while gateway.platform.live._waiting:  # noqa: ASYNC110 - nobody else knows
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (lambda person, now: PersonDisabled(person.id, "per_ada", "left"), "person.disabled", "account is disabled"),
        (lambda person, now: SignedOut(person.sign_in, person.id, "logout", person.id), "sign_in.ended", "has ended"),
    ],
)
async def test_a_good_certificate_carries_no_authority_by_itself(
    gateway: Gateway, end: Callable[..., object], code: str, words: str
) -> None:
    person = await gateway.person()
    await gateway.record(end(person, wall_clock()))
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert (done.status, done.stdout) == (255, b"")
    assert words in done.stderr
    assert [each.code for each in gateway.events(SessionRefused, person)] == [code]


async def test_a_sign_in_whose_factor_is_too_old(gateway: Gateway) -> None:
    person = await gateway.person()
    now = wall_clock()
    await gateway.record(SignedOut(person.sign_in, person.id, "again", person.id))
    await gateway.record(signed_in(person, now, mfa_at=Instant(now - 13 * HOUR)))
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert "Your second factor is too old" in done.stderr
    assert [each.code for each in gateway.events(SessionRefused, person)] == ["sign_in.stale"]


async def test_a_target_admits_no_certificate_of_a_person(gateway: Gateway) -> None:
    person = await gateway.person()
    target = gateway.target
    gateway.forge(person, principals=[target.login])  # even if it named the login
    hosts = target.known_hosts()
    done = await gateway.run(
        "ssh", "-F", "none", "-i", str(person.key), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={hosts}",
        "-o", "StrictHostKeyChecking=yes", "-p", str(target.port), f"{target.login}@{target.host}", "id",
    )  # fmt: skip
    assert done.status == 255
    assert "Permission denied" in done.stderr


async def test_targets_that_do_not_let_us_in(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(session_module, "DIAL_SECONDS", 1.0)
    keygen(tmp_path / "other")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    target = gateway.target
    cases: dict[str, tuple[dict[str, Any], str, str]] = {
        "down-1": ({"port": gateway.closed_port}, "target.down", "the target cannot be reached"),
        "hangs-1": ({"port": gateway.silent_port}, "target.hanging", "accepts connections but does not answer"),
        "refuses-1": (
            {"port": gateway.foreign.port, "pins": (gateway.foreign.host_key,)},
            "target.refusing",
            f"the target does not admit us as {target.login}",
        ),
        "other-1": ({"pins": (other,)}, "target.host_key", "another host key than the pinned one"),
        "metadata-1": ({"address": "169.254.169.254", "port": 80}, "target.address", "does not connect to"),
        "nowhere-1": ({"address": "no-such-name.invalid"}, "target.unresolved", "cannot be resolved"),
    }
    await gateway.record(*(gateway.resource(name, **changed) for name, (changed, _, _) in cases.items()))
    for name, (_, code, words) in cases.items():
        person = await gateway.person()
        done = await gateway.run(*gateway.ssh(person, "id", user=f"{target.login}@{name}"))
        assert done.status == 255
        assert words in done.stderr, (name, done.stderr)
        failed = (await gateway.ended(person))[0]
        assert isinstance(failed, SessionFailed), failed
        assert failed.code == code
        assert words in (failed.detail or "")
    assert len(gateway.platform.live) == 0


async def test_a_target_that_is_down_ends_a_client_without_channels_too(gateway: Gateway) -> None:
    await gateway.record(gateway.resource("down-2", port=gateway.closed_port))
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "-N", user=f"{gateway.target.login}@down-2"))
    assert "the target does not answer" in done.stderr


async def test_a_target_that_vanishes_in_mid_session(gateway: Gateway) -> None:
    person = await gateway.person()
    process = await gateway.working(person)
    # The target's server first: were its shell to go before it, it could still report that as the command's own end.
    for pid in reversed(descendants(gateway.target.process.pid)):
        os.kill(pid, signal.SIGKILL)
    done = await outcome(process, None)
    assert done.status == 255
    assert "connection to the target was lost" in done.stderr
    assert [each.because for each in await gateway.ended(person) if isinstance(each, SessionClosed)] == ["target.lost"]


async def test_a_permission_that_needs_an_approval(gateway: Gateway) -> None:
    person = await gateway.person(replace(STANDING, mode=Mode.REQUEST, approvers=("manager",)))
    done = await gateway.run(*gateway.ssh(person, "id"))
    assert "needs an approval" in done.stderr
    assert f"{gateway.platform.config.url}/?request=web-1" in done.stderr
    assert [each.code for each in gateway.events(SessionRefused, person)] == ["access.needs_approval"]
