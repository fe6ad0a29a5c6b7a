"""A real directory read over TLS, and servers that are down, slow, wrong or hostile."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from onepam.domain.roster.directory import DirectoryEntry, RosterDirectory, parse_directory
from onepam.egress.egress import Admitted, Egress
from onepam.egress.ldap import client, pull
from onepam.egress.ldap.ber import element, integer, octets
from onepam.egress.ldap.client import Directory
from onepam.kernel.errors import Refused
from tests.gateway.test_fetch import Authority
from tests.slapd import BOUNDED, PASSWORD, PEOPLE, READER, Slapd, running_slapd, somebody

pytestmark = pytest.mark.anyio

MANY = 1_203


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    people = (somebody(f"p{number}", str(number), f"manager: uid=p0,{PEOPLE}") for number in range(MANY))
    with running_slapd(tmp_path_factory.mktemp("slapd"), people) as found:
        yield found


def wanted(transport: str = "ldaps", bind_dn: str = READER, **other: str) -> RosterDirectory:
    found = parse_directory({"base": PEOPLE, "transport": transport, "bind_dn": bind_dn, **other})
    assert isinstance(found, RosterDirectory), found
    return found


def code(outcome: list[DirectoryEntry] | Refused) -> str:
    return outcome.code if isinstance(outcome, Refused) else "found"


@pytest.mark.parametrize("transport", ["ldaps", "starttls", "plain"])
async def test_every_entry_is_read_page_by_page(slapd: Slapd, transport: str) -> None:
    url = slapd.tls_url if transport == "ldaps" else slapd.url
    found = await Directory(slapd.egress, slapd.ca_file).entries(url, wanted(transport), PASSWORD)
    assert isinstance(found, list), found
    assert len(found) == len({each.dn for each in found}) == MANY
    one = next(each for each in found if each.dn == f"uid=p7,{PEOPLE}")
    assert one.attributes == {
        "employeenumber": (b"7",),
        "cn": (b"P7 Example",),
        "mail": (b"p7@example.com",),
        "manager": (f"uid=p0,{PEOPLE}".encode(),),
    }


@pytest.mark.parametrize(
    "text",
    [
        "(mail=p7@example.com)",
        "(&(uid=p1*)(!(uid=*0))(cn=*Example))",
        "(|(employeeNumber=1)(employeeNumber=\\32))",
        "(uid:caseExactMatch:=p5)",
        "(uid:caseExactMatch:=P5)",
        "(:caseIgnoreMatch:=p5)",
        "(ou:dn:=people)",
        "(uid=p*0*2)",
        "(uid=*1*)",
        "(cn~=p5 example)",
        "(accountExpires>=1)",
        "(employeeNumber<=2)",
        "(unknownAttribute=*)",
        "(2.5.4.3=P9 Example)",
    ],
)
async def test_a_filter_means_what_it_means_to_openldap(slapd: Slapd, text: str) -> None:
    command = ["ldapsearch", "-x", "-LLL", "-H", slapd.url, "-D", READER, "-w", PASSWORD, "-b", PEOPLE]
    listed = subprocess.run(
        [*command, "-E", "pr=500/noprompt", text, "dn"], capture_output=True, timeout=30, check=True
    )
    found = await Directory(slapd.egress, slapd.ca_file).entries(slapd.tls_url, wanted(filter=text), PASSWORD)
    assert isinstance(found, list), found
    assert sorted(f"dn: {each.dn}" for each in found) == sorted(
        line for line in listed.stdout.decode().splitlines() if line.startswith("dn: ")
    )


async def test_what_a_directory_refuses(slapd: Slapd) -> None:
    directory = Directory(slapd.egress, slapd.ca_file)

    async def asked(password: str = PASSWORD, **settings: str) -> str:
        return code(await directory.entries(slapd.tls_url, wanted(**settings), password))

    assert await asked("wrong") == "directory.bind"
    assert await asked(bind_dn="nonsense") == "directory.bind"
    assert await asked("") == "directory.password"
    assert await asked(bind_dn="") == "directory.password"
    assert await asked(base="ou=nowhere,dc=example,dc=com") == "directory.search"
    assert await asked(bind_dn=BOUNDED) == "directory.incomplete"
    assert await asked("", bind_dn="") == "directory.incomplete"
    assert await asked(filter="(uid=p1") == "directory.filter"
    assert await asked(filter="(uid=p1)", bind_dn=BOUNDED) == "found"
    outcome = await directory.entries(slapd.tls_url, wanted(), "wrong")
    assert isinstance(outcome, Refused)
    assert outcome.message == "127.0.0.1 does not let the account in: account or password is wrong."


async def test_who_is_no_trusted_directory_hears_no_password(slapd: Slapd, tmp_path: Path) -> None:
    for transport, url in (("ldaps", slapd.tls_url), ("starttls", slapd.url)):
        outcome = await Directory(slapd.egress).entries(url, wanted(transport), PASSWORD)
        assert isinstance(outcome, Refused)
        assert outcome.code == "directory.tls"
        assert "is not trusted" in outcome.message
        named = url.replace("127.0.0.1", "localhost")
        found = await Directory(slapd.egress, slapd.ca_file).entries(named, wanted(transport), PASSWORD)
        assert code(found) == "directory.tls", "the certificate is for another name"
    assert code(await Directory(slapd.egress).entries(f"ldaps://127.0.0.1:{slapd.port}", wanted(), PASSWORD)) in (
        "directory.tls",
        "directory.down",
    )


async def test_start_tls_that_is_refused_ends_it(tmp_path: Path) -> None:
    with running_slapd(tmp_path / "bare", [somebody("ada", "1")], tls=False) as bare:
        outcome = await Directory(bare.egress).entries(bare.url, wanted("starttls"), PASSWORD)
        assert isinstance(outcome, Refused)
        assert outcome.code == "directory.tls"
        assert outcome.message.startswith("127.0.0.1 refuses to go on encrypted")
        assert code(await Directory(bare.egress).entries(bare.url, wanted("plain"), PASSWORD)) == "found"


async def test_a_referral_is_not_followed(tmp_path: Path) -> None:
    elsewhere = (
        f"dn: ou=other,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: other\n"
        f"ref: ldap://127.0.0.1:1/ou=other,{PEOPLE}\n"
    )
    with running_slapd(tmp_path / "referring", [somebody("ada", "1"), elsewhere]) as found:
        directory = Directory(found.egress, found.ca_file)
        assert code(await directory.entries(found.tls_url, wanted(), PASSWORD)) == "directory.referral"
        base = f"ou=other,{PEOPLE}"
        assert code(await directory.entries(found.tls_url, wanted(base=base), PASSWORD)) == "directory.referral"


@pytest.mark.parametrize(
    ("url", "transport", "expected"),
    [
        ("ldaps://127.0.0.1:1", "ldaps", "directory.address"),
        ("ldaps://169.254.169.254", "ldaps", "directory.address"),
        ("ldaps://no-such-host.invalid", "ldaps", "directory.unresolved"),
        ("ldap://127.0.0.1:1", "ldaps", "directory.url"),
        ("ldaps://127.0.0.1:1", "starttls", "directory.url"),
        ("https://127.0.0.1:1", "starttls", "directory.url"),
        ("ldaps://a:b@127.0.0.1", "ldaps", "directory.url"),
        ("ldaps://127.0.0.1/dc=x?cn", "ldaps", "directory.url"),
        ("ldaps://127.0.0.1:99999", "ldaps", "directory.url"),
        ("ldaps://[::1", "ldaps", "directory.url"),
        ("ldaps://", "ldaps", "directory.url"),
        ("ldaps://h\u00f6st", "ldaps", "directory.url"),
    ],
)
async def test_where_nothing_is_asked(url: str, transport: str, expected: str) -> None:
    assert code(await Directory(Egress()).entries(url, wanted(transport), PASSWORD)) == expected


async def test_unencrypted_goes_only_where_the_operator_admits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(self: Egress, host: str, port: int) -> str:
        return "127.0.0.1"

    async with serving(silence) as port:
        monkeypatch.setattr(Egress, "resolve", resolve)
        found = await Directory(Egress()).entries(f"ldap://ldap.example:{port}", wanted("plain"), PASSWORD)
        assert code(found) == "directory.plain"


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(*parts: bytes) -> Answer:
    """Answers one part after each thing it hears, then hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            await reader.read(65536)
            writer.write(part)
            await writer.drain()

    return answer


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def message(number: int, tag: int, *parts: bytes, controls: bytes = b"") -> bytes:
    return element(0x30, integer(number), element(tag, *parts), controls)


def ended(code: int = 0) -> tuple[bytes, ...]:
    return integer(code, 0x0A), octets(""), octets("")


LET_IN = message(1, 0x61, *ended())


async def asked(answer: Answer, timeout_seconds: float = 5.0, transport: str = "plain") -> str:
    async with serving(answer) as port:
        directory = Directory(Egress((Admitted.parse(f"127.0.0.1/32:{port}"),)))
        url = f"ldap://127.0.0.1:{port}"
        return code(await directory.entries(url, wanted(transport), PASSWORD, timeout_seconds))


async def test_servers_that_break_off_or_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await asked(silence, 0.1) == "directory.timeout"
    assert await asked(silence, 0.1, "starttls") == "directory.timeout"
    assert await asked(says()) == "directory.down"
    assert await asked(says(b""), transport="starttls") == "directory.down"
    assert await asked(says(LET_IN)) == "directory.down"
    assert await asked(says(message(0, 0x78, *ended(52)))) == "directory.down"
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.1)
    assert await asked(silence) == "directory.timeout"
    async with serving(silence) as port:
        pass
    admitted = Egress((Admitted.parse(f"127.0.0.1/32:{port}"),))
    found = await Directory(admitted).entries(f"ldap://127.0.0.1:{port}", wanted("plain"), PASSWORD)
    assert code(found) == "directory.down"


async def test_servers_that_send_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(LET_IN)
        await reader.read(65536)
        while True:
            writer.write(message(2, 0x64, octets("cn=x"), element(0x30)) * 100)
            await writer.drain()

    monkeypatch.setattr(client, "MAX_ROWS", 1_000)
    assert await asked(endless) == "directory.too_large"
    monkeypatch.setattr(pull, "MAX_BYTES", 4_000)
    assert await asked(endless) == "directory.too_large"


async def test_words_said_before_the_encryption_are_not_taken_for_encrypted_ones() -> None:
    agreed = message(1, 0x78, *ended())
    assert await asked(says(agreed + LET_IN), transport="starttls") == "directory.protocol"
    assert await asked(says(agreed + b"\x30"), transport="starttls") == "directory.protocol"
    assert await asked(says(agreed, b"no handshake"), transport="starttls") == "directory.tls"


async def test_a_password_goes_nowhere_but_to_the_checked_server(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65536))
        writer.write(message(1, 0x78, *ended(2)))

    assert await asked(listen, transport="starttls") == "directory.tls"
    assert heard
    assert PASSWORD.encode() not in b"".join(heard)
    context = Authority(tmp_path).server(x509.DNSName("ldap.example"))
    async with serving(listen, context) as port:
        directory = Directory(Egress((Admitted.parse(f"127.0.0.1/32:{port}"),)))
        assert code(await directory.entries(f"ldaps://127.0.0.1:{port}", wanted(), PASSWORD)) == "directory.tls"
    assert len(heard) == 1
