"""Policies by the API: published, read as they were, confirmed by those whose it is."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tests.api.office import Office

DOCUMENT = b"# Access control\nNobody shares a key.\n"
LATER = "2099-01-01T00:00:00Z"


def version(whose: str, **changes: object) -> dict[str, object]:
    data = b64encode(DOCUMENT).decode("ascii")
    made = {"policy": "access", "title": "Access control", "ending": "md", "owner": whose, "data": data}
    return {**made, "review_by": (datetime.now(UTC) + timedelta(days=90)).isoformat(), **changes}


def test_a_policy_by_the_api(office: Office) -> None:
    ada, eve = office.join("administrator", name="ada"), office.join("engineer", name="eve")
    digest = sha256(DOCUMENT).hexdigest()
    with office.client(ada) as hers, office.client(eve) as theirs:
        assert theirs.post("/policies", json=version(eve)).status_code == 403
        for changes, status, code in (
            ({"data": "no base64"}, 400, "input.malformed"),
            ({"review_by": "soon"}, 400, "input.malformed"),
            ({"review_by": LATER}, 409, "policy.day"),
            ({"owner": "nobody"}, 409, "policy.owner"),
            ({"ending": "html"}, 409, "policy.media"),
        ):
            odd = hers.post("/policies", json=version(eve, **changes))
            assert (odd.status_code, odd.json()["code"]) == (status, code)
        assert hers.post("/policies", json=version(eve)).json() == {"version": 1}
        (row,) = theirs.get("/policies").json()["policies"]
        assert (row["digest"], row["mine"], row["confirmed"], row["done"]) == (digest, True, None, 0)
        read = theirs.get("/policies/access/versions/1")
        assert (read.content, read.headers["content-type"]) == (DOCUMENT, "text/markdown; charset=utf-8")
        assert theirs.get("/policies/access/versions/2").status_code == 404
        assert theirs.get("/policies/none").status_code == 404
        stale = theirs.post("/policies/access/confirm", json={"digest": "0" * 64})
        assert stale.json()["code"] == "policy.changed"
        assert theirs.post("/policies/access/confirm", json={"digest": digest}).status_code == 200
        one = theirs.get("/policies/access").json()
        assert eve not in {each["person"] for each in one["missing"]}, "whoever answers for it sees who has not"
        assert ada in {each["person"] for each in one["missing"]}
        assert one["policy"]["confirmed"] is not None
        assert hers.post("/policies", json=version(ada, data=b64encode(b"two").decode(), readers=["engineer"])).json()
        assert theirs.get("/policies/access").json()["missing"] == [], "not theirs to see any more"
        (office.folder / "policies" / digest).write_bytes(b"altered")
        altered = theirs.get("/policies/access/versions/1")
        assert (altered.status_code, altered.json()["code"]) == (409, "policy.altered")
