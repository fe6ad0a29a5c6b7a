"""Rights that a user for one session may not have, by the words in which a server lists them."""

import pytest

from onepam.protocols.mysql.grants import too_much


@pytest.mark.parametrize(
    "line",
    ["GRANT PROXY ON ''@'%' TO 'root'@'localhost'", "REVOKE SELECT ON *.* FROM `r`", "GRANT SELECT ON `a`.* TO",
     "GRANT SELECT (`a`) ON `b`.`c` TO `d`) ON *.* TO `e`, x"],
)  # fmt: skip
def test_what_a_server_says_in_other_words_is_too_much(line: str) -> None:
    assert too_much([line]) is not None


@pytest.mark.parametrize(
    ("schema", "holds"),
    [("*", True), ("`mysql`", True), ("`MySQL`", True), ("`%`", True), ("`m_sql`", True), (r"`m\_sql`", False),
     ("`mysql_`", False), ("`my``sql`", False), ("`app`", False)],
)  # fmt: skip
def test_names_of_schemas_are_patterns(schema: str, holds: bool) -> None:
    assert (too_much([f"GRANT INSERT ON {schema}.* TO `r`"]) is not None) is holds
