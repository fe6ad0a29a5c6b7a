"""Certificates that were read again are of the provider as it is."""

from onepam.domain.history.commit import Decided
from onepam.domain.providers.keys import KeysFacts, ProviderKeysRead, take_keys
from onepam.kernel.errors import Refused


def test_keys_are_of_the_provider_as_it_is() -> None:
    read = ProviderKeysRead("idp_1", "chg_2", "chg_1", "{}")
    taken = take_keys(KeysFacts("chg_1"), read)
    assert isinstance(taken, Decided)
    assert taken.events == (read,)
    for change in (None, "chg_9"):
        assert isinstance(take_keys(KeysFacts(change), read), Refused)
