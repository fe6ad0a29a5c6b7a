"""Writes the matrix of docs/entry-points.md: what each way in gives without a second factor.

`python scripts/entry_points_doc.py` writes it.

What there is comes from the code (`ways`): the entry points of sessions, the routes that answer before the sign-in, all
others together, the kinds of sign-in sessions, what a sign-in may rest on, and each factor by itself. A way that no row
claims fails the tests; so does a row that claims what is not there, or names a test that is not there.
"""

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "entry-points.md"
sys.path.insert(0, str(ROOT / "src"))

from onepam.api.app import ROUTES  # noqa: E402
from onepam.console.app import PLACES  # noqa: E402
from onepam.domain.access.proof import MfaBasis  # noqa: E402
from onepam.domain.leaving.probing import ProbePath  # noqa: E402
from onepam.domain.sessions.events import EntryPoint  # noqa: E402
from onepam.domain.signing_in.events import FactorKind, SignInKind  # noqa: E402

BEGIN, END = "<!-- Written by scripts/entry_points_doc.py; a test holds it equal. -->", "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Way:
    """A row: what it claims of `ways`, who comes without a second factor, what they get, and the tests that show it."""

    name: str
    claims: tuple[str, ...]
    without: str
    gets: str
    tests: tuple[str, ...]


DOOR = "tests/app/test_open_session.py::"
FACTOR = "tests/app/test_second_factor.py::"
SSH = "tests/protocols/ssh/test_serve_"
MACHINE = "tests/app/test_service_keys.py::"
TOKEN = "tests/app/test_login_tokens.py::"
HALF = "tests/console/test_half_signed_in.py::test_nothing_opens"
RULES = "tests/domain/signing_in/test_signing_in.py::"
FEDERATED = "tests/domain/providers/test_federated.py::"
BASES = "tests/domain/access/test_mfa_rule.py::test_what_each_basis_opens"

WAYS = (
    Way(
        "SSH with a certificate",
        ("entry:ssh_certificate",),
        "the sign-in behind it has ended, or its factor is too old",
        "refused: `sign_in.ended`, `sign_in.stale`",
        (
            DOOR + "test_mfa_without_a_second_factor_nothing_opens",
            SSH + "refusals.py::test_a_good_certificate_carries_no_authority_by_itself",
            SSH + "refusals.py::test_a_sign_in_whose_factor_is_too_old",
        ),
    ),
    Way(
        "SSH with a registered key",
        ("entry:ssh_key_confirmed", "factor:ssh_key"),
        "the key alone, or confirmed under a factor that is not fresh",
        "waits two minutes for its person, then refused: `confirmation.lapsed`",
        (
            SSH + "confirmation.py::test_nobody_confirms_in_time",
            SSH + "confirmation.py::test_a_factor_that_is_not_fresh_does_not_confirm_and_a_fresh_one_then_does",
            RULES + "test_a_key_proves_nothing_at_sign_in",
        ),
    ),
    Way(
        "SSH with a service account's key",
        ("entry:ssh_service_key",),
        "always: a machine has none",
        "a session shown as *machine*, never as a pass; for a person refused: `service.entry`",
        (
            MACHINE + "test_a_registered_key_opens_what_the_account_may_reach_and_is_shown_as_a_machine",
            MACHINE + "test_a_machine_has_no_other_way_in_and_nobody_else_has_its",
        ),
    ),
    Way(
        "PostgreSQL with a login token",
        ("entry:postgres_token",),
        "the sign-in behind it has ended, or its factor is too old; it is for something else, or used from elsewhere",
        "refused: `sign_in.ended`, `sign_in.stale`; for all the rest `login_token.invalid`",
        (
            DOOR + "test_mfa_without_a_second_factor_nothing_opens",
            TOKEN + "test_it_dies_with_the_sign_in_behind_it",
            TOKEN + "test_what_it_does_not",
        ),
    ),
    Way(
        "MySQL with a login token",
        ("entry:mysql_token",),
        "the sign-in behind it has ended, or its factor is too old; it is for something else, or used from elsewhere",
        "refused: `sign_in.ended`, `sign_in.stale`; for all the rest `login_token.invalid`",
        (
            DOOR + "test_mfa_without_a_second_factor_nothing_opens",
            TOKEN + "test_it_dies_with_the_sign_in_behind_it",
            TOKEN + "test_what_it_does_not",
        ),
    ),
    Way(
        "PostgreSQL with a certificate",
        ("entry:postgres_certificate",),
        "the sign-in behind it has ended, or its factor is too old",
        "refused: `sign_in.ended`, `sign_in.stale`",
        (
            DOOR + "test_mfa_without_a_second_factor_nothing_opens",
            DOOR + "test_mfa_grows_old_and_a_machine_has_none",
            "tests/protocols/postgres/test_certificates.py::test_it_ends_with_the_sign_in",
        ),
    ),
    Way(
        "Password",
        ("console:GET /sign-in", "console:POST /sign-in", "console:GET /sign-in/second", "factor:password"),
        "the right password and nothing after it",
        "the question for the second factor; no session",
        (HALF, RULES + "test_less_than_two_factors_open_nothing"),
    ),
    Way(
        "Authenticator app",
        ("console:POST /sign-in/totp", "factor:totp"),
        "a code without the password, a wrong one, or one that served",
        "the first question again; counted towards the lock-out; no session",
        (
            HALF,
            RULES + "test_less_than_two_factors_open_nothing",
            RULES + "test_a_code_serves_once_and_only_its_own_factor",
        ),
    ),
    Way(
        "Passkey",
        ("console:POST /sign-in/passkey/options", "console:POST /sign-in/passkey/verify", "factor:passkey"),
        "a passkey whose device did not verify its person",
        "refused: a passkey is two factors only with user verification",
        (
            "tests/identity/test_passkeys.py::test_a_lie_is_refused_at_registration_and_at_sign_in",
            "tests/identity/test_passkeys_chromium.py::test_without_user_verification_the_browser_itself_gives_up",
        ),
    ),
    Way(
        "Recovery code",
        ("console:GET /sign-in/recovery", "console:POST /sign-in/recovery", "factor:recovery"),
        "the password and a code",
        "a link to enrol anew; no session",
        (HALF, RULES + "test_a_recovery_code_is_spent_once"),
    ),
    Way(
        "Enrolment link",
        tuple(
            f"console:{each}"
            for each in (
                "GET /enrol/{token}",
                "POST /enrol/{token}/password",
                "POST /enrol/{token}/totp/start",
                "POST /enrol/{token}/totp",
                "POST /enrol/{token}/passkey/options",
                "POST /enrol/{token}/passkey/verify",
                "POST /enrol/{token}/codes",
            )
        ),
        "the link, and a new password alone",
        "nothing is enrolled; no session",
        (HALF, "tests/domain/signing_in/test_enrolling.py::test_enrolling_needs_a_second_factor"),
    ),
    Way(
        "Console, its cookie",
        ("console:signed in", "sign_in:console"),
        "no cookie, or one of somebody half signed in",
        "sent to the sign-in, every page and every form",
        (HALF, "tests/console/test_routes.py::test_every_route_lets_in_whom_it_should"),
    ),
    Way(
        "Step-up and confirming, in the console",
        ("console:step-up",),
        "a factor that is not the person's own, or was shown too long ago",
        "refused: `factor.stale`, `confirmation.stale_factor`; the session keeps the proof it had",
        (
            RULES + "test_stepping_up_needs_a_second_factor_of_ones_own",
            RULES + "test_adding_a_factor_needs_a_fresh_one_and_is_bounded",
        ),
    ),
    Way(
        "Signing out, the player's frame, the root that clients of databases trust",
        ("console:POST /sign-out", "console:GET /player-frame", "console:GET /databases/root.pem"),
        "anybody",
        "the end of their own session; an empty frame; a public certificate",
        ("tests/console/test_routes.py::test_every_route_lets_in_whom_it_should",),
    ),
    Way(
        "`onepam login`",
        ("api:POST /cli/token", "sign_in:cli"),
        "a code of a console session that has ended, a wrong or a used one",
        "refused; a CLI session inherits the proof it comes from, and its age",
        (
            "tests/api/test_answers.py::test_a_code_is_worth_nothing_once_its_console_session_ended",
            "tests/api/test_answers.py::test_a_wrong_code_opens_nothing",
            RULES + "test_a_cli_session_inherits_the_proof_and_ends_with_the_person",
        ),
    ),
    Way(
        "`onepam login --device`",
        ("api:POST /cli/device", "api:POST /cli/device/keys", "api:POST /cli/device/token"),
        "a code that nobody typed, that another person than the key's did, or, without a key, one at another address",
        "refused, and the attempt is void; a CLI session inherits the answer's proof, as no phishing-resistant one",
        (
            "tests/console/test_device.py::test_a_guessed_code_voids_the_attempt",
            "tests/console/test_device.py::test_a_stolen_link_is_worth_nothing_to_somebody_else_even_with_the_code",
            "tests/console/test_device.py::test_without_a_key_a_browser_at_another_address_lets_nobody_in",
            "tests/cli/test_login_device.py::test_what_memory_says_opens_nothing_that_the_ledger_did_not_allow",
        ),
    ),
    Way(
        "API, its bearer token",
        ("api:signed in",),
        "no token, a console's, or one whose session has ended",
        "401, every route",
        (
            "tests/api/test_who_may.py::test_route_and_role",
            "tests/api/test_answers.py::test_only_a_cli_token_in_the_header_counts",
        ),
    ),
    Way(
        "Provider: attested, stepped up, or our own factors",
        ("basis:own", "basis:attested", "basis:stepped_up"),
        "no: two factors were shown",
        "opens",
        (BASES, FACTOR + "test_what_a_proof_opens"),
    ),
    Way(
        "Provider: declared to demand one",
        ("basis:declared",),
        "the provider attests nothing; a dated statement says that it asks",
        "nothing administrative, nothing that asks for a passkey or a fresh factor: `mfa.declared`",
        (BASES, FACTOR + "test_what_a_proof_opens", FEDERATED + "test_a_declaration_counts_but_not_for_administrators"),
    ),
    Way(
        "Risk acceptance",
        ("basis:accepted",),
        "yes, by a named approver's word, until its end",
        "nothing privileged, nothing that asks for a passkey or a fresh factor: `mfa.accepted`",
        (
            BASES,
            FACTOR + "test_what_a_proof_opens",
            FEDERATED + "test_an_accepted_risk_counts_until_its_end_but_not_for_administrators",
        ),
    ),
    Way(
        "Provider, by OpenID Connect or SAML",
        (
            "factor:provider",
            *(
                f"console:{each}"
                for each in (
                    "GET /sign-in/begin/{provider}",
                    "GET /sign-in/return/{provider}",
                    "POST /sign-in/return/{provider}",
                    "POST /sign-in/return/{provider}/finish",
                    "GET /sign-in/metadata/{provider}",
                )
            ),
        ),
        "a good message that attests no second factor",
        "the question for a factor of ours, or a link to enrol one; no session",
        (
            FEDERATED + "test_what_is_not_attested_asks_for_a_factor_of_ours",
            FEDERATED + "test_a_wrong_factor_of_ours_opens_nothing",
            FEDERATED + "test_without_any_factor_one_is_enrolled_first",
            RULES + "test_less_than_two_factors_open_nothing",
        ),
    ),
    Way(
        "Provider: its notices of signing out",
        (
            "console:POST /sign-in/backchannel/{provider}",
            "console:GET /sign-in/logout/{provider}",
            "console:POST /sign-in/logout/{provider}",
        ),
        "always: the provider speaks, and nobody is there",
        "the end of the sign-ins it names; never the beginning of one",
        (FEDERATED + "test_a_notice_of_the_provider_ends_sign_ins",),
    ),
    Way(
        "SCIM, its bearer token",
        ("scim:token",),
        "always: a directory is a machine",
        "SCIM and nothing else: neither console nor API take its token",
        (HALF, "tests/api/test_answers.py::test_only_a_cli_token_in_the_header_counts"),
    ),
    Way(
        "SCIM, client credentials",
        ("scim:POST /scim/oauth/token",),
        "always: a directory is a machine",
        "an access token of an hour for SCIM alone, against a secret that two administrators let in for it",
        (
            "tests/scim/test_oauth.py::test_only_tokens_that_were_approved_for_it",
            "tests/scim/test_oauth.py::test_errors_are_those_of_the_standard",
        ),
    ),
    Way(
        "Signals, the token of a stream or of a receiver",
        ("signal:token",),
        "always: a transmitter is a machine, and so is who is told",
        "the end of the sign-ins it names, or what it is told; never a session",
        (
            "tests/identity/signals/test_push.py::test_only_the_streams_token_opens_the_door",
            "tests/boot/test_sending.py::test_what_we_say_of_ourselves_and_to_whom",
        ),
    ),
    Way(
        "Probe of a listener",
        tuple(f"probe:{each.value}" for each in ProbePath),
        "always: it asks in the place of somebody who has left",
        "an answer, *would open* or *refused*; never a session",
        (
            "tests/gateway/test_probes.py::test_the_answer_is_one_of_two",
            "tests/boot/test_probing.py::test_nobody_comes_in_without_a_second_factor",
            "tests/boot/test_probing.py::test_the_provers_key_opens_no_target",
        ),
    ),
)


def ways() -> frozenset[str]:
    """Every way in that the code has."""
    open_places = {f"console:{each.method} {each.path}" for each in PLACES if not each.needs.signed_in}
    open_routes = {f"api:{each.method} {each.path}" for each in ROUTES if not each.needs.sign_in}
    return frozenset(
        {
            "console:signed in",
            "console:step-up",
            "api:signed in",
            "scim:token",
            "signal:token",
            "scim:POST /scim/oauth/token",
        }
        | open_places
        | open_routes
        | {f"entry:{each.value}" for each in EntryPoint}
        | {f"basis:{each.value}" for each in MfaBasis}
        | {f"sign_in:{each.value}" for each in SignInKind}
        | {f"factor:{each.value}" for each in FactorKind}
        | {f"probe:{each.value}" for each in ProbePath}
    )


def problems() -> list[str]:
    """What the rows leave out, claim twice or claim wrongly, and the tests they name that are not there."""
    claimed = [claim for way in WAYS for claim in way.claims]
    there = ways()
    return sorted(
        [f"no row for {each}" for each in there - set(claimed)]
        + [f"{each} is not there" for each in set(claimed) - there]
        + [f"{each} is claimed twice" for each in set(claimed) if claimed.count(each) > 1]
        + [f"there is no {test}" for way in WAYS for test in way.tests if not _is_test(test)]
        + [f"{way.name} names no test" for way in WAYS if not way.tests]
    )


def table() -> str:
    """The matrix, between its two marks."""
    lines = ["| way in | without a second factor | gets | shown by |", "| --- | --- | --- | --- |"]
    for way in WAYS:
        tests = "<br>".join(f"[{name}](../{file})" for file, _, name in (each.partition("::") for each in way.tests))
        lines.append(f"| {way.name} | {way.without} | {way.gets} | {tests} |")
    return "\n".join((BEGIN, *lines, END))


def page() -> str:
    """The page as it should be. Raises `ValueError` where it has lost its marks."""
    before, begun, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError("the page has lost the marks of its matrix")
    return before + table() + after


def _is_test(test: str) -> bool:
    file, _, name = test.partition("::")
    return name in _tests(file)


@cache
def _tests(file: str) -> frozenset[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.exit("\n".join(problems()) or None)
