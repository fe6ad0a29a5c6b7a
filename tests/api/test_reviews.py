"""Reviews by the API: opened, read and decided."""

from tests.api.office import Office


def test_a_review_is_opened_read_and_decided(office: Office) -> None:
    person = office.join("engineer", name="Erin Engineer")
    with office.client(office.founder) as founder, office.client(person) as theirs:
        opened = founder.post("/reviews", json={"days": 14, "people": [person]})
        assert opened.status_code == 200, opened.text
        review = opened.json()["review"]
        assert opened.json()["items"] == 1
        (row,) = [each for each in founder.get("/reviews").json()["reviews"] if each["review"] == review]
        assert (row["items"], row["waiting"], row["kept"], row["removed"]) == (1, 1, 0, 0)
        found = founder.get(f"/reviews/{review}", params={"which": "all"}).json()
        (item,) = found["items"]
        assert (item["person"], item["role"], item["held"], item["verdict"]) == (person, "engineer", True, None)
        assert founder.get(f"/reviews/{review}", params={"which": "odd"}).status_code == 422
        assert theirs.get(f"/reviews/{review}").status_code == 404
        key = {"person": person, "role": "engineer"}
        own = theirs.post(f"/reviews/{review}/decide", json={**key, "verdict": "keep"})
        assert (own.status_code, own.json()["code"]) == (403, "review.own")
        odd = founder.post(f"/reviews/{review}/decide", json={**key, "verdict": "perhaps"})
        assert odd.status_code == 422
        if item["decides"] != office.founder:
            named = founder.post(f"/reviews/{review}/pass", json={**key, "to": office.founder})
            assert named.json()["to"] == office.founder
        removed = founder.post(f"/reviews/{review}/decide", json={**key, "verdict": "remove", "note": "left the team"})
        assert removed.status_code == 200, removed.text
        (item,) = founder.get(f"/reviews/{review}", params={"which": "removed"}).json()["items"]
        assert (item["verdict"], item["withheld"], item["note"]) == ("remove", "removed", "left the team")
        for wanted in ({"days": 0}, {"days": 14, "roles": ["none"]}, {"days": 14, "suspends": "odd"}):
            assert founder.post("/reviews", json=wanted).status_code == 422
