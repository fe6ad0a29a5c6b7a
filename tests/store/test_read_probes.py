"""Which revoked accesses are to be probed, and what a probe found, from real commands."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.sessions.close_session import close_session
from onepam.domain.access.events import ResourceRemoved
from onepam.domain.access.model import ResourceKind
from onepam.domain.leaving.probing import ProbedProof, ProbePath, ProbePurpose, ProbeResult, WouldOpen, made
from onepam.domain.reviews.events import Returned, RoleReturned, RoleWithheld, Withheld
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.domain.signing_in.events import CertificateIssued
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.probes import Revoked, probed_after, probes, revoked, takes_away
from onepam.store.read.probes import due as leavers_due
from tests.company import START, Company, database_set, record

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def due(company: Company, after: Instant = START, node: str = "node-1", most: int = 10) -> tuple[Revoked, ...]:
    return await company.reader(revoked, None, after, node, SECOND, most)


async def test_a_grant_that_was_ended_is_due_once_for_each_process(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "root"))
    assert await due(company) == ()
    await end_grant(company.ledger, company.actor("max"), granted.grant, "done")
    assert await due(company) == (), "not settled yet"
    company.clock.advance(2 * SECOND)
    (found,) = await due(company)
    probe = found.probe
    assert (probe.person, probe.resource, probe.login) == ("eve", "web-1", "root")
    assert (probe.path, probe.proof, probe.purpose) == (ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.REVOKED)
    assert await company.reader(probed_after, None, "eve", "web-1", "root", found.since) is None
    await record(company.ledger, made(replace(probe, probe="prb_1"), Refused("access.needs_approval", "no"), "node-1"))
    assert await due(company) == ()
    assert len(await due(company, node="node-2")) == 1
    told = await company.reader(probed_after, None, "eve", "web-1", "root", found.since)
    assert told is not None
    assert (told.result, told.code) == (ProbeResult.REFUSED, "access.needs_approval")
    assert await company.reader(probed_after, None, "eve", "web-2", "root", found.since) is None


async def test_the_newest_certificate_is_the_proof(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "root"))
    ends = Instant(company.clock() + HOUR)
    await record(company.ledger, *(CertificateIssued("sgn_eve", "eve", n, ends, f"SHA256:{n}") for n in (1, 2)))
    await end_grant(company.ledger, company.actor("max"), granted.grant, "done")
    company.clock.advance(2 * SECOND)
    (found,) = await due(company)
    assert (found.probe.proof, found.probe.reference, found.probe.sign_in) == (
        ProbedProof.CERTIFICATE, "2", "sgn_eve",
    )  # fmt: skip
    open_ = made(replace(found.probe, probe="prb_1"), WouldOpen("bnd_1"), "node-1")
    assert (open_.result, open_.code) == (ProbeResult.WOULD_OPEN, "bnd_1")


async def test_time_and_a_lost_binding_revoke_too_and_a_kill_does_not(company: Company) -> None:
    await company.approve("max", await company.ask("eve", "web-1", "root"))
    cut, killed = await company.open("eve", "dev-1", "app"), await company.open("eve", "dev-1", "app")
    assert isinstance(cut, Opened)
    assert isinstance(killed, Opened)
    company.clock.advance(9 * HOUR)
    await expire_access(company.ledger)
    await close_session(company.ledger, SessionClosed(killed.session, SessionEnd.KILLED, "0" * 64, 0, {}, True))
    company.clock.advance(2 * SECOND)
    (expired,) = await due(company)
    assert expired.probe.resource == "web-1"
    await close_session(company.ledger, SessionClosed(cut.session, SessionEnd.ACCESS_LOGIN, "0" * 64, 0, {}, True))
    company.clock.advance(2 * SECOND)
    assert [each.probe.resource for each in await due(company)] == ["web-1", "dev-1"]
    assert [each.probe.resource for each in await due(company, most=1)] == ["web-1"], "the oldest first"
    assert [each.probe.resource for each in await due(company, expired.since)] == ["dev-1"]


async def test_what_a_review_withholds_is_asked_for_where_nothing_else_gives_it(company: Company) -> None:
    removed = RoleWithheld("eve", "engineer", "rev_1", Withheld.REMOVED, "ada")
    await record(company.ledger, removed, RoleWithheld("aud", "auditor", "rev_1", Withheld.SILENCE, None))
    assert await due(company) == (), "not settled yet"
    company.clock.advance(2 * SECOND)
    (found,) = await due(company)
    probe = found.probe
    assert (probe.person, probe.resource, probe.purpose) == ("eve", "dev-1", ProbePurpose.REVOKED)
    no = await company.open("eve", probe.resource, probe.login)
    assert isinstance(no, Refused)
    await record(company.ledger, made(replace(probe, probe="prb_1"), no, "node-1"))
    assert await due(company) == ()
    assert len(await due(company, node="node-2")) == 1
    await company.bind("eve", "vendor")  # which gives it, too
    assert "dev-1" not in {each.probe.resource for each in await due(company, node="node-2")}
    await record(company.ledger, RoleReturned("eve", "engineer", "rev_1", Returned.KEPT, "ada"))
    assert await due(company, node="node-2") == ()


def test_what_takes_access_away() -> None:
    taken = ("access.login", "expired", "session.revoked", "killed", "client.closed", "target.lost", "")
    assert [takes_away(each) for each in taken] == [True, True, True, False, False, False, False]


async def test_a_leaver_is_probed_as_a_leaver(company: Company) -> None:
    await company.approve("max", await company.ask("eve", "web-1", "root"))
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    company.clock.advance(2 * SECOND)
    assert await due(company) == ()


async def test_the_daily_question_does_not_stand_for_a_leavers(company: Company) -> None:
    """It may be on its way while somebody leaves; the answer to it comes after the leaving."""
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    company.clock.advance(2 * SECOND)
    (left,) = await company.reader(leavers_due, None, START)
    asked = await company.reader(probes, None, left, "node-1")
    first = replace(asked[0], probe="prb_1")
    no = Refused("person.disabled", "no")
    await record(company.ledger, made(replace(first, purpose=ProbePurpose.NO_MFA), no, "node-1"))
    assert await company.reader(probes, None, left, "node-1") == asked
    await record(company.ledger, made(replace(first, probe="prb_2"), no, "node-1"))
    assert await company.reader(probes, None, left, "node-1") == asked[1:]


@pytest.mark.parametrize(
    ("kind", "path", "token"),
    [
        (ResourceKind.POSTGRES, ProbePath.POSTGRES, ProbePath.POSTGRES),
        (ResourceKind.MYSQL, ProbePath.SSH, ProbePath.MYSQL),  # MySQL's listener takes nothing but tokens
    ],
)
async def test_each_proof_is_asked_about_where_it_is_one(
    company: Company, kind: ResourceKind, path: ProbePath, token: ProbePath
) -> None:
    """A database that is gone is asked about at its own listener still."""
    ends = Instant(company.clock() + HOUR)
    await record(
        company.ledger,
        database_set("a-1", {}, kind),
        CertificateIssued("sgn_eve", "eve", 1, ends, "SHA256:1"),
        LoginTokenIssued("tok_1", "eve", "a-1", "app", "sgn_eve", ends, "00" * 32),
    )
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    company.clock.advance(2 * SECOND)
    (left,) = await company.reader(leavers_due, None, START)

    async def paths(*databases: ProbePath) -> list[tuple[ProbedProof, ProbePath]]:
        found = await company.reader(probes, None, left, "node-1", databases=frozenset(databases))
        return [(each.proof, each.path) for each in found if each.resource == "a-1"]

    proofs = [(ProbedProof.ACCOUNT, path), (ProbedProof.CERTIFICATE, path), (ProbedProof.TOKEN, token)]
    assert await paths(ProbePath.POSTGRES, ProbePath.MYSQL) == proofs
    assert await paths(token) == proofs
    (other,) = {ProbePath.POSTGRES, ProbePath.MYSQL} - {token}
    assert await paths(other) == [(proof, ProbePath.SSH) for proof, _ in proofs[:2]]
    await record(company.ledger, ResourceRemoved("a-1", "chg_1", "ada"))
    assert await paths(token) == proofs[2:]
