"""`onepam lock`, `unlock` and `locks`."""

from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from tests.api.office import Office
from tests.cli.conftest import NewTerminal


def test_a_lock_by_the_terminal(office: Office, terminal: NewTerminal) -> None:
    ada, bob = office.join("administrator", name="ada"), office.join("administrator", name="bob")
    office.join("engineer", name="eve")
    office.record(FactorEnrolled("fac_bob", bob, FactorKind.PASSKEY, "", None, None, reference="ref_bob"))
    hers, his = terminal().signed_in(ada), terminal().signed_in(bob)
    assert "Nothing is locked." in hers.run("locks").out
    for wrong in (("person",), ("everything", "eve")):
        asked = hers.run("lock", *wrong, "--reason", "odd")
        assert (asked.code, "Which?" in asked.err) == (2, True)
    assert "reason" in hers.run("lock", "person", "Eve Example").err
    locked = hers.run("lock", "person", "Eve Example", "--reason", "odd commands")
    assert locked.code == 0, locked.err
    lock = locked.out.split(":")[0]
    assert f"onepam unlock {lock}" in locked.err
    every = hers.run("lock", "everything", "--reason", "a fire", "--json").json["lock"]
    shown = his.run("locks").out
    assert "Eve Example" in shown
    assert "everything" in shown
    assert "does not lift it" in hers.run("unlock", lock).err
    assert his.run("unlock", lock).out.strip() == f"{lock} is lifted."
    assert his.run("unlock", every, "--json").json["done"]
    assert hers.run("locks", "--json").json == []
