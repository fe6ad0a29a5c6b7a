"""A prepared access.yaml: what nobody uses is turned into on request, or taken, and the rest of the text stays."""

from dataclasses import replace

import pytest

from onepam.domain.access.model import Mode
from onepam.domain.matrix.file import read_access
from onepam.domain.matrix.turning import on_request, prepared
from onepam.domain.matrix.use import Proposal
from tests.domain.small_company import FILE

FLOW = "{actions: [shell, exec], where: {env: prod}, logins: [app], mode: standing, longest: 4h}"
ONE = FILE.replace(
    "{actions: [shell, exec], where: {env: prod}, logins: [app], mode: request, longest: 4h, approvers: [lead]}", FLOW
)
BLOCK = ONE.replace(
    FLOW,
    """actions: [shell, exec]
        where: {env: prod}
        logins: [app]
        mode: standing  # for years
        longest: 4h""",
)


@pytest.mark.parametrize("text", [ONE, BLOCK])
def test_a_permission_is_turned_into_one_on_request_and_the_rest_stays(text: str) -> None:
    made = on_request(text, "dev", "prod")
    assert made is not None
    wanted = read_access(made).wanted
    assert wanted is not None
    (permission,) = wanted.roles["dev"].permissions
    assert (permission.mode, permission.approvers) == (Mode.REQUEST, ("lead",))
    before = read_access(text).wanted
    assert before is not None
    assert replace(wanted, roles=before.roles) == before
    assert len(made.splitlines()) - len(text.splitlines()) == (text == BLOCK)
    assert "# for years" in made or text != BLOCK


def test_who_approves_already_goes_on_to() -> None:
    asks = FLOW.replace("longest: 4h", "longest: 4h, approvers: [lead]").replace("[shell, exec]", "[query]")
    text = ONE.replace(FLOW, asks.replace("mode", "guardrails: {statements: [other], ask_first: [read]}, mode"))
    made = on_request(text, "dev", "prod")
    assert made == text.replace("mode: standing", "mode: request")


@pytest.mark.parametrize(
    ("text", "role", "permission"),
    [
        (ONE, "nobody", "prod"),
        (ONE, "dev", "nothing"),
        (ONE.replace("approve]", "audit]"), "dev", "prod"),
        ("roles: none", "dev", "prod"),
        (ONE.replace("mode: standing", "mode: standing, mode: standing"), "dev", "prod"),
    ],
)  # fmt: skip
def test_what_cannot_be_turned_is_left(text: str, role: str, permission: str) -> None:
    made = on_request(text, role, permission)
    assert made is None or read_access(made).wanted is not None


def test_all_that_is_proposed_is_done_or_named() -> None:
    wanted = (
        Proposal("dev", permission="prod"),
        Proposal("lead", "max"),
        Proposal("dev", "eve"),
        Proposal("dev", "zoe"),
    )
    made = prepared(ONE, wanted, {"max": "max@example.com", "eve": "eve@example.com"})
    assert (made.done, made.left) == (wanted[:2], wanted[2:])
    assert "max@example.com" not in made.text
    assert "mode: request" in made.text
