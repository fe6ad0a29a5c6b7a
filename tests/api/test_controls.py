"""Controls by the API: tested, read, and answered for."""

from onepam.domain.controls.catalogue import TESTS
from tests.api.office import Office


def test_controls_are_tested_read_and_answered_for(office: Office) -> None:
    with office.client(office.founder) as founder:
        ran = founder.post("/controls/run", json={"controls": ["RBC-03", "PRV-02"]})
        assert ran.json() == {"runs": 2}, ran.text
        again = founder.post("/controls/run", json={"controls": ["RBC-03"]})
        assert again.json()["code"] == "control.tested_lately"
        assert founder.post("/controls/run", json={"controls": ["RBC-03", "NO-01"]}).status_code == 404
        found = founder.get("/controls").json()["controls"]
        assert [each["control"] for each in found] == list(TESTS)
        (direct,) = [each for each in found if each["control"] == "RBC-03"]
        assert (direct["last"]["verdict"], direct["owner"]) == ("fail", "")
        assert direct["failing"] == direct["last"]["at"]
        one = founder.get("/controls/RBC-03").json()
        assert one["same"] is True
        assert len(one["rows"]) + one["left"] == one["control"]["last"]["failed"]
        assert one["rows"][0]["reason"] == "it names a person"
        assert founder.get("/controls/NO-01").status_code == 404
        odd = founder.post("/controls/RBC-03/owner", json={"owner": office.founder, "due": "soon"})
        assert (odd.status_code, odd.json()["code"]) == (400, "input.time")
        past = founder.post("/controls/RBC-03/owner", json={"owner": office.founder, "due": "2020-01-01T00:00:00Z"})
        assert past.json()["code"] == "control.due"
        said = founder.post("/controls/RBC-03/owner", json={"owner": office.founder})
        assert said.status_code == 200, said.text
        assert founder.get("/controls/RBC-03").json()["control"]["owner"] == office.founder
