"""Incidents by the API: opened with what belongs to them, added to by whoever answers, closed by somebody else."""

from tests.api.office import Office


def test_an_incident_by_the_api(office: Office) -> None:
    ada, aud = office.join("administrator", name="ada"), office.join("auditor", name="aud")
    eve, max_ = office.join("engineer", name="eve"), office.join("manager", name="max")
    new = {
        "title": "A key was published",
        "severity": "high",
        "owner": ada,
        "links": [{"kind": "caused_by", "ref": eve}, {"kind": "entry", "ref": "0"}],
    }
    with office.client(ada) as hers, office.client(eve) as theirs, office.client(aud) as audits:
        assert theirs.post("/incidents", json=new).status_code == 403
        assert theirs.get("/incidents").status_code == 403
        for changes, status, code in (
            ({"began": "soon"}, 400, "input.time"),
            ({"began": "2999-01-01T00:00:00Z"}, 409, "incident.time"),
            ({"owner": "nobody"}, 409, "incident.owner"),
            ({"links": [{"kind": "session", "ref": "ses_none"}]}, 409, "incident.nowhere"),
            ({"severity": "worst"}, 422, "input.invalid"),
        ):
            odd = hers.post("/incidents", json={**new, **changes})
            assert (odd.status_code, odd.json()["code"]) == (status, code)
        incident = hers.post("/incidents", json=new).json()["incident"]
        listed = hers.get("/incidents", params={"severity": "high", "owner": ada}).json()
        assert [each["incident"] for each in listed["incidents"]] == [incident]
        assert (listed["figures"]["open"], listed["total"], listed["next"]) == (1, 1, "")
        one = f"/incidents/{incident}"
        assert theirs.get(one).status_code == 404, "not theirs to see"
        noted = {"note": "the key is revoked", "at": "2026-01-01T00:00:00Z", "links": [{"kind": "person", "ref": max_}]}
        assert theirs.post(f"{one}/notes", json=noted).json()["code"] == "incident.unknown"
        assert hers.post(f"{one}/notes", json=noted).status_code == 200
        closing = {"cause": "a debug log", "done": "revoked"}
        mine = hers.post(f"{one}/close", json=closing)
        assert (mine.status_code, mine.json()["code"]) == (403, "incident.two_hands")
        assign = {"severity": "low", "owner": eve, "because": "it is theirs", "due": "2099-01-01T00:00:00Z"}
        assert hers.post(f"{one}/assign", json=assign).json()["code"] == "incident.due"
        assert hers.post(f"{one}/assign", json={**assign, "due": None}).status_code == 200
        assert theirs.get(one).json()["incident"]["title"] == "A key was published", "they answer for it"
        linked = theirs.post(f"{one}/notes", json={"note": "", "links": [{"kind": "entry", "ref": "1"}]})
        assert (linked.status_code, linked.json()["code"]) == (403, "incident.links_kept")
        assert theirs.post(f"{one}/notes", json={"note": "the key is mine"}).status_code == 200
        assert theirs.post(f"{one}/close", json=closing).status_code == 403
        assert audits.post(f"{one}/close", json=closing).status_code == 200
        assert audits.post(f"{one}/reopen", json={"because": "used again"}).status_code == 200
        assert audits.post("/incidents/inc_none/reopen", json={"because": "x"}).status_code == 404
        found = audits.get(one).json()
        kinds = [each["kind"] for each in found["history"]]
        assert kinds[:3] == ["incident.opened", "incident.noted", "incident.assigned"]
        assert kinds[3:] == ["incident.noted", "incident.closed", "incident.reopened"]
        assert {(each["kind"], each["words"]) for each in found["links"]} >= {("caused_by", "Eve Example")}
        assert "a debug log" in found["history"][4]["words"]
