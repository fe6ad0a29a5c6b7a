"""`onepam provider` against a real gateway's API."""

import json

from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import MfaDeclared, ProviderProposed, ProviderRule, ProviderSet
from onepam.kernel.clock import DAY, Instant
from tests.api.office import Office, now
from tests.cli.conftest import NewTerminal

SETTINGS = '{"claims":{"groups":"roles"},"client_id":"0oa[b]8","issuer":"https://okta.example"}'
RULE = ProviderRule(domains=("example.com",), joins=True)


def test_providers_are_listed_and_shown_without_their_secret(office: Office, terminal: NewTerminal) -> None:
    mine = terminal().signed_in(office.join("auditor"))
    office.record(
        ProviderSet("chg_1", "idp_1", ProviderKind.OIDC, "Okta", SETTINGS, RULE, "ada", "bob", "c2VjcmV0"),
        ProviderProposed("chg_2", "idp_1", ProviderKind.OIDC, "Okta EU", SETTINGS, RULE, "ada", "c2VjcmV0"),
        MfaDeclared("dcl_1", "idp_1", "So it is.", "d" * 64, Instant(now() + 30 * DAY), "ada", now(), "MFA = always"),
    )
    listed = mine.run("provider", "ls")
    assert listed.code == 0, listed.err
    assert "idp_1" in listed.out
    assert "declared" in listed.out
    assert "chg_2" in listed.out
    shown = mine.run("provider", "show", "idp_1")
    assert "https://okta.example" in shown.out
    assert "0oa[b]8" in shown.out
    assert "ada proposed, bob approved" in shown.out
    for words in (("ls",), ("show", "idp_1")):
        answer = mine.run("provider", *words, "--json")
        assert "c2VjcmV0" not in answer.out
    found = json.loads(answer.out)
    assert found["settings"]["claims"] == {"groups": "roles"}
    assert found["declaration"]["signed_by"] == "ada"
    assert found["waiting"] == ["chg_2"]
    assert mine.run("provider", "show", "okta", "--json").out == answer.out
    near = mine.run("provider", "show", "Oktta")
    assert (near.code, "Did you mean: Okta" in near.err) == (1, True)
    unknown = mine.run("provider", "show", "idp_9", "--json")
    assert (unknown.code, json.loads(unknown.err)["code"]) == (1, "provider.unknown")
    assert terminal().signed_in(office.join("engineer")).run("provider", "ls").code == 1
