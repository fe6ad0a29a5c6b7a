"""Passwords do not stand in the recording of a session with MySQL."""

from onepam.protocols.sql.events import Hidden, Text
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk


def test_the_server_has_a_password_and_the_recording_has_its_size() -> None:
    talk = Talk()
    said = my.query(b'CREATE USER a IDENTIFIED BY "s3cret!"')
    assert talk.client(said).to_target == said
    texts = [each.text for each in talk.events if isinstance(each, Text)]
    assert texts == [b"CREATE USER a IDENTIFIED BY '[masked: 7 bytes]'"]
    assert Hidden("statement", 1, "masked: 1 part of the text") in talk.events
