"""What the token endpoint answers with is read up to the size of the largest token."""

import json

from onepam.identity.oidc.json_object import MAX_STRING_CHARACTERS, json_object
from onepam.identity.oidc.tokens import MAX_TOKEN_CHARACTERS


def test_a_token_of_the_largest_size_fits_into_the_answer_that_brings_it() -> None:
    answer = json.dumps({"id_token": "x" * MAX_TOKEN_CHARACTERS, "token_type": "Bearer"}).encode()
    assert json_object(answer) is not None
    assert json_object(json.dumps({"id_token": "x" * (MAX_STRING_CHARACTERS + 1)}).encode()) is None


def test_two_thousand_groups_fit_into_a_token() -> None:
    claims = json.dumps({"sub": "ada", "groups": [f"Department {number}" for number in range(2_000)]}).encode()
    assert len(claims) < MAX_TOKEN_CHARACTERS * 3 // 4
    assert json_object(claims) is not None
