"""`onepam incidents` and `onepam incident`: the register, opening one, adding to it, closing it."""

from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_incidents_by_the_terminal(office: Office, terminal: NewTerminal) -> None:
    ada, aud = office.join("administrator", name="ada"), office.join("auditor", name="aud")
    office.join("engineer", name="eve")
    hers, audits = terminal().signed_in(ada), terminal().signed_in(aud)
    assert "No such incident." in hers.run("incidents").out
    opened = hers.run(
        "incident", "open", "A key was published", "--owner", "Ada Example", "--severity", "high", "--what", "in a log",
        "--caused-by", "Eve Example", "--entry", "0", "--control", "LOG-01", "--began", "2026-01-01", "--found",
        "2026-01-02",
    )  # fmt: skip
    assert opened.code == 0, opened.err
    incident = opened.out.strip()
    assert hers.run("incident", "open", "x", "--owner", ada, "--session", "ses_none").code == 1
    noted = hers.run(
        "incident", "note", incident, "revoked", "--at", "2026-01-03", "--person", "Eve Example", "--resource", "none"
    )
    assert (noted.code, "nothing to link" in noted.err) == (1, True)
    assert hers.run("incident", "note", incident, "revoked", "--person", "Eve Example").out.strip() == "Noted."
    said = ("--owner", "Eve Example", "--severity", "medium", "--because", "it is theirs")
    assert hers.run("incident", "assign", incident, *said).code == 0
    over = ("--cause", "a debug log", "--done", "revoked", "--lessons", "none are kept")
    assert "takes two" in hers.run("incident", "close", incident, *over).err
    assert audits.run("incident", "close", incident, *over).out.strip() == "Closed."
    assert "No such incident." in audits.run("incidents", "--severity", "low", "--owner", "Ada Example").out
    assert incident in audits.run("incidents", "--state", "closed").out
    assert audits.run("incidents", "--state", "all", "--json").json["incidents"][0]["closed_by"] == aud
    shown = audits.run("incident", "show", incident).out
    assert "a debug log" in shown
    assert "LOG-01" in shown
    assert audits.run("incident", "reopen", incident, "--because", "used again", "--json").json["done"]
    assert audits.run("incident", "show", incident, "--json").json["incident"]["state"] == "open"
