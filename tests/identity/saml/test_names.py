"""Which of the names that a provider sends are a person's."""

import pytest
from lxml import etree

from onepam.identity.saml.settings import EMAIL_ADDRESS, PERSISTENT, TRANSIENT, UNSPECIFIED, SamlSettings
from onepam.identity.saml.xml import SAML, Element, tag
from tests.identity.saml.forge import assertion, believed, refused, response, signed, with_attributes
from tests.identity.saml.test_response import GOOD, assertion_with, within


def one_of(values: dict[str, tuple[str, ...]], settings: SamlSettings, name_id_format: str = PERSISTENT) -> Element:
    return response(signed(assertion(attributes=values, name_id_format=name_id_format)))


def test_a_chosen_attribute_is_the_subject() -> None:
    settings = with_attributes(subject="uid", user_name="login")
    found = believed(one_of({"uid": ("u-1",), "login": ("al",)}, settings, TRANSIENT), settings).assertion
    assert (found.subject, found.user_name) == ("u-1", "al")


@pytest.mark.parametrize("values", [(), ("u-1", "u-2"), ("",), ("u\u200b1",), (" u-1",), ("u" * 513,)])
def test_a_chosen_attribute_must_be_one_usable_value(values: tuple[str, ...]) -> None:
    settings = with_attributes(subject="uid")
    assert refused(one_of({"uid": values}, settings), settings) == "saml.attribute"
    assert refused(one_of({"uid": values}, settings), with_attributes(user_name="uid")) == "saml.attribute"


def test_transient_names_never_show() -> None:
    settings = with_attributes(subject="uid")
    assert believed(one_of({"uid": ("u-1",)}, settings, TRANSIENT), settings).assertion.user_name == "u-1"


def test_the_same_attribute_in_parts() -> None:
    def change(root: Element) -> None:
        statement = etree.SubElement(root, tag(SAML, "AttributeStatement"))
        attribute = etree.SubElement(statement, tag(SAML, "Attribute"), {"Name": "groups"})
        etree.SubElement(attribute, tag(SAML, "AttributeValue")).text = "Support"

    assert believed(assertion_with(change)).assertion.groups == ("Engineering", "Sales", "Support")


def test_groups_said_empty_and_not_said() -> None:
    assert believed(response(signed(assertion(attributes={"groups": ()})))).assertion.groups == ()
    assert believed(response(signed(assertion(attributes={})))).assertion.groups is None
    assert believed(GOOD, with_attributes(groups="")).assertion.groups is None


@pytest.mark.parametrize(
    "email", [("alice",), ("a@b", "c@d"), ("a@b@c",), ("a b@c",), ("al\u200bice@example.com",), ("",), ()]
)
def test_an_odd_address_is_none(email: tuple[str, ...]) -> None:
    assert believed(response(signed(assertion(attributes={"email": email})))).assertion.email is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (("Ada  Lindt",), "Ada Lindt"),
        (("می‌خواهم",), "می‌خواهم"),
        (("Ada", "Lindt"), None),
        (("A\u202eda",), None),
        (("x" * 201,), None),
        (("",), None),
    ],
)
def test_full_names(name: tuple[str, ...], expected: str | None) -> None:
    assert believed(response(signed(assertion(attributes={"name": name})))).assertion.name == expected


def test_methods_and_groups_that_are_nothing() -> None:
    values = {"methods": ("pwd", "", "m\u200bfa", "mfa"), "groups": ("b", "", "a", "b")}
    found = believed(response(signed(assertion(attributes=values)))).assertion
    assert (found.methods, found.groups) == (("pwd", "mfa"), ("b", "a"))


def test_values_with_elements_in_them_are_left_out() -> None:
    def change(root: Element) -> None:
        etree.SubElement(within(root, "AttributeValue"), tag(SAML, "NameID")).text = "x"

    assert believed(assertion_with(change)).attributes["email"] == ()


@pytest.mark.parametrize("name_id_format", ["", UNSPECIFIED, EMAIL_ADDRESS])
def test_other_formats_of_names(name_id_format: str) -> None:
    assert believed(response(signed(assertion(name_id_format=name_id_format)))).assertion.subject == "alice"
