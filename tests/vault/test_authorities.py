"""The three SSH authorities, judged by OpenSSH itself: ssh-keygen reads what they issue, sshd and ssh act on it."""

import secrets
import stat
import subprocess
import time
from pathlib import Path

import asyncssh
import pytest

from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.vault.authorities import Authorities, target_principal
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from onepam.vault.person_certificates import Claims, judge

SESSION = "cli_abcdefgh234567ab"
PERSON = "per_abcdefgh234567ab"
LOOPBACK = ["127.0.0.1/32"]
NOW = Instant(1_772_546_400 * SECOND)


def public(algorithm: str = "ssh-ed25519", key_size: int = 3072) -> str:
    more = {"key_size": key_size} if algorithm == "ssh-rsa" else {}
    key = asyncssh.generate_private_key(algorithm, **more)  # type: ignore[arg-type]
    return key.export_public_key().decode().strip()


def read(certificate: str, folder: Path) -> str:
    """What ssh-keygen reads in a certificate."""
    path = folder / "read-cert.pub"
    path.write_text(certificate + "\n")
    listing = subprocess.run(["ssh-keygen", "-L", "-f", path], check=True, capture_output=True, text=True)
    return listing.stdout


def issued(certificate: str | Refused) -> str:
    assert isinstance(certificate, str), certificate
    return certificate


# --- Keys at rest ----------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_lie_sealed_and_private(tmp_path: Path, keys: FileKeys) -> None:
    folder = tmp_path / "new" / "authorities"
    envelope = Envelope(keys, secrets.token_bytes)
    first = Authorities(folder, envelope, secrets.token_bytes)
    again = Authorities(folder, envelope, secrets.token_bytes)
    lines = [(a.person.public_line, a.target.public_line, a.host.public_line) for a in (first, again)]
    assert lines[0] == lines[1]
    assert len({line.split()[1] for line in lines[0]}) == 3
    shown = [[key.public_data for key in each.gateway_host_keys] for each in (first, again)]
    assert shown[0] == shown[1]
    assert shown[0][0] == first.gateway_host_key.public_data
    assert [key.get_algorithm() for key in first.gateway_host_keys] == ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [
        "gateway-host-key-ecdsa.sealed",
        "gateway-host-key-rsa.sealed",
        "gateway-host-key.sealed",
        "host.sealed",
        "person.sealed",
        "target.sealed",
    ]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"PRIVATE KEY" not in file.read_bytes()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_put_in_the_place_of_another_is_found(tmp_path: Path, keys: FileKeys) -> None:
    envelope = Envelope(keys, secrets.token_bytes)
    Authorities(tmp_path, envelope, secrets.token_bytes)
    (tmp_path / "target.sealed").write_bytes((tmp_path / "person.sealed").read_bytes())
    with pytest.raises(Corrupt, match="something else"):
        Authorities(tmp_path, envelope, secrets.token_bytes)


def test_an_open_or_cut_key_file_is_refused_and_not_replaced(tmp_path: Path, keys: FileKeys) -> None:
    envelope = Envelope(keys, secrets.token_bytes)
    Authorities(tmp_path, envelope, secrets.token_bytes)
    sealed = tmp_path / "person.sealed"
    sealed.chmod(0o644)
    with pytest.raises(Corrupt, match="chmod"):
        Authorities(tmp_path, envelope, secrets.token_bytes)
    sealed.chmod(0o600)
    sealed.write_bytes(b"")
    with pytest.raises(Corrupt):
        Authorities(tmp_path, envelope, secrets.token_bytes)
    assert sealed.read_bytes() == b""


def test_keys_move_to_a_new_master_key(tmp_path: Path) -> None:
    keys = FileKeys.create(tmp_path / "master.keys", secrets.token_bytes)
    envelope = Envelope(keys, secrets.token_bytes)
    authorities = Authorities(tmp_path / "authorities", envelope, secrets.token_bytes)
    assert authorities.rewrap() == 0
    keys.rotate()
    assert authorities.rewrap() == 4
    again = Authorities(tmp_path / "authorities", envelope, secrets.token_bytes)
    assert again.person.public_blob == authorities.person.public_blob


# --- Person CA -------------------------------------------------------------------------------------------------------


def test_a_persons_certificate_as_openssh_reads_it(authorities: Authorities, tmp_path: Path) -> None:
    certificate = issued(authorities.person.issue(public(), SESSION, PERSON, NOW, HOUR, ["10.0.0.0/8", "::1"]))
    text = read(certificate, tmp_path)
    assert "Type: ssh-ed25519-cert-v01@openssh.com user certificate" in text
    assert authorities.person.fingerprint in text
    assert f'Key ID: "{SESSION}"' in text
    principals, options = text.split("Principals:")[1].split("Critical Options:")
    assert principals.split() == [f"onepam-person:{PERSON}"]
    critical, extensions = options.split("Extensions:")
    assert critical.split() == ["source-address", "10.0.0.0/8,::1/128"]
    assert extensions.split() == ["permit-pty"]


@pytest.mark.parametrize(
    "algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]
)
def test_what_the_person_ca_issues_is_judged_good(authorities: Authorities, algorithm: str) -> None:
    certificate = issued(authorities.person.issue(public(algorithm), SESSION, PERSON, NOW, HOUR))
    presented = asyncssh.import_certificate(certificate).public_data
    claims = judge(presented, authorities.person.public_blob, NOW, "192.0.2.1")
    assert claims == Claims(SESSION, PERSON, Instant(NOW + HOUR))


def test_a_certificate_of_the_longest_life_is_judged_good(authorities: Authorities) -> None:
    off_second = Instant(NOW + 999_999)
    certificate = issued(
        authorities.person.issue(public("ssh-rsa", key_size=3072), SESSION, PERSON, off_second, 12 * HOUR)
    )
    presented = asyncssh.import_certificate(certificate).public_data
    assert isinstance(judge(presented, authorities.person.public_blob, off_second, "::1"), Claims)


def test_a_key_that_will_not_do_is_refused(authorities: Authorities) -> None:
    person_certificate = issued(authorities.person.issue(public(), SESSION, PERSON, NOW))
    bad = [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 " + public("ecdsa-sha2-nistp256").split()[1],
        "ssh-dss AAAAB3NzaC1kc3MAAACBAI",
        public("ssh-rsa", key_size=2048),
        person_certificate,
        asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(),
        'command="x" ' + public(),
        public() + "\n" + public("ssh-rsa", key_size=2048),
        public() + " " + "x" * 20_000,
    ]
    for line in bad:
        for outcome in (authorities.person.issue(line, SESSION, PERSON, NOW), authorities.host.issue(line, ["a"], NOW)):
            assert isinstance(outcome, Refused), line
            assert outcome.code == "certificate.subject"


@pytest.mark.parametrize("lifetime", [-1, 0, 12 * HOUR + 1])
def test_a_persons_certificate_is_short_lived(authorities: Authorities, lifetime: int) -> None:
    with pytest.raises(ValueError, match="12 hours"):
        authorities.person.issue(public(), SESSION, PERSON, NOW, lifetime)


@pytest.mark.parametrize("odd", ["", "per_1", f"{PERSON},root", f"{PERSON}\n", "PER_abcdefgh234567ab", "root"])
def test_a_persons_certificate_names_well_formed_ids(authorities: Authorities, odd: str) -> None:
    with pytest.raises(ValueError, match="id"):
        authorities.person.issue(public(), SESSION, odd, NOW)
    with pytest.raises(ValueError, match="id"):
        authorities.person.issue(public(), odd, PERSON, NOW)


# --- Target CA -------------------------------------------------------------------------------------------------------


def test_a_targets_certificate_as_openssh_reads_it(authorities: Authorities, tmp_path: Path) -> None:
    target = authorities.target.issue("ses_1", ["deploy", "deploy@web-1"], LOOPBACK, NOW, pty=True)
    text = read(target.certificate.export_certificate().decode(), tmp_path)
    assert 'Key ID: "ses_1"' in text
    principals, options = text.split("Principals:")[1].split("Critical Options:")
    assert principals.split() == ["deploy", "deploy@web-1"]
    critical, extensions = options.split("Extensions:")
    assert critical.split() == ["source-address", "127.0.0.1/32"]
    assert extensions.split() == ["permit-pty"]
    start, end = text.split("Valid: from ")[1].split("\n")[0].split(" to ")
    seconds = [time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) for text in (start, end)]
    assert seconds[1] - seconds[0] == 120
    assert target.valid_until == NOW + 90 * SECOND


def test_permissions_of_a_targets_certificate_are_exactly_those_asked_for(
    authorities: Authorities, tmp_path: Path
) -> None:
    none = authorities.target.issue("ses_1", ["deploy"], LOOPBACK, NOW)
    every = authorities.target.issue(
        "ses_1", ["deploy"], LOOPBACK, NOW, pty=True, port_forwarding=True, agent_forwarding=True, x11_forwarding=True
    )
    found = [
        read(key.certificate.export_certificate().decode(), tmp_path).split("Extensions:")[1] for key in (none, every)
    ]
    assert found[0].split() == ["(none)"]
    assert found[1].split() == [
        "permit-X11-forwarding",
        "permit-agent-forwarding",
        "permit-port-forwarding",
        "permit-pty",
    ]


def test_every_session_has_a_key_of_its_own(authorities: Authorities) -> None:
    made = [authorities.target.issue("ses_1", ["deploy"], LOOPBACK, NOW) for _ in range(3)]
    assert len({target.key.public_data for target in made}) == 3
    assert "PRIVATE" not in repr(made[0])


ODD_PRINCIPALS = ["", "a,b", "a\nb", "a b", "*", "ro?t", "!root", "#root", '"root"', "-root", "@web-1", "root@",
                  "root@web-1@web-2", "root@*", "r" * 65, "ro\x00ot", "rööt"]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_PRINCIPALS)
def test_an_odd_principal_is_never_certified(authorities: Authorities, odd: str) -> None:
    for principals in ([odd], ["root", odd]):
        with pytest.raises(ValueError, match="principals"):
            authorities.target.issue("ses_1", principals, LOOPBACK, NOW)


def test_a_targets_certificate_always_has_principals_an_address_and_an_end(authorities: Authorities) -> None:
    with pytest.raises(ValueError, match="principals"):
        authorities.target.issue("ses_1", [], LOOPBACK, NOW)
    with pytest.raises(ValueError, match="principals"):
        authorities.target.issue("ses_1", ["root"] * 17, LOOPBACK, NOW)
    with pytest.raises(ValueError, match="addresses"):
        authorities.target.issue("ses_1", ["root"], [], NOW)
    with pytest.raises(ValueError, match="does not appear to be"):
        authorities.target.issue("ses_1", ["root"], ["everywhere"], NOW)
    with pytest.raises(ValueError, match="key id"):
        authorities.target.issue("ses 1\n", ["root"], LOOPBACK, NOW)
    for lifetime in (0, 30 * SECOND, 2 * MINUTE + 1):
        with pytest.raises(ValueError, match="2 minutes"):
            authorities.target.issue("ses_1", ["root"], LOOPBACK, NOW, lifetime)


def test_the_principal_of_a_login_cannot_be_read_as_another() -> None:
    assert target_principal("root", "db-1") == "root"
    assert target_principal("root", "db-1", "login@resource") == "root@db-1"
    assert target_principal("bob@corp.example", "db-1") == "bob@corp.example"
    with pytest.raises(ValueError, match="malformed"):
        target_principal("root@db-1", "web", "login@resource")
    for login, resource in [
        ("root", "a@b"),
        ("", "a"),
        ("root", ""),
        ("a,b", "c"),
        ("root", "*"),
    ]:
        with pytest.raises(ValueError, match="malformed"):
            target_principal(login, resource)


# --- Host CA ---------------------------------------------------------------------------------------------------------


def test_a_host_certificate_as_openssh_reads_it(authorities: Authorities, tmp_path: Path) -> None:
    text = read(issued(authorities.host.issue(public(), ["web-1", "10.0.0.7", "::1"], NOW)), tmp_path)
    assert "host certificate" in text
    assert authorities.host.fingerprint in text
    assert text.split("Principals:")[1].split("Critical Options:")[0].split() == ["web-1", "10.0.0.7", "::1"]


def test_a_host_certificate_names_hosts_only(authorities: Authorities) -> None:
    for names in ([], [""], ["*"], ["a,b"], ["web 1"], ["web-1\n"], ["a" * 254], ["web-1", "*.example"]):
        with pytest.raises(ValueError, match="names"):
            authorities.host.issue(public(), names, NOW)
    for lifetime in (0, 90 * DAY + 1):
        with pytest.raises(ValueError, match="90 days"):
            authorities.host.issue(public(), ["web-1"], NOW, lifetime)
    for patterns in ([], [""], ["a b"], ["a\n@cert-authority *"], ["a,b"]):
        with pytest.raises(ValueError, match="patterns"):
            authorities.host.known_hosts_line(patterns)
