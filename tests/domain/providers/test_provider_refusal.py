"""Counting what a provider's messages were refused for."""

from onepam.domain.history.commit import Decided
from onepam.domain.providers.refusals import ProviderRefused, RefusalFacts, count_refused
from onepam.kernel.errors import Refused
from tests.domain.given import NOW


def test_a_count_is_of_a_provider_in_force() -> None:
    event = ProviderRefused("idp_1", "oidc.exchange", 3, NOW)
    counted = count_refused(RefusalFacts(True), event)
    assert isinstance(counted, Decided)
    assert counted.events == (event,)
    assert isinstance(count_refused(RefusalFacts(False), event), Refused)
