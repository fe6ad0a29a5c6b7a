"""What the SCIM door needs: wired by the composition root."""

from dataclasses import dataclass

from onepam.app.ports import Ledger, Reader
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.kernel.clock import Clock
from onepam.kernel.ids import RandomBytes
from onepam.vault.envelope import Envelope


@dataclass(frozen=True, slots=True)
class ScimServices:
    """`url` is the address that directories know, such as `https://pam.example.com/scim/v2`."""

    ledger: Ledger
    reader: Reader
    clock: Clock
    random: RandomBytes
    traffic: ScimTraffic
    url: str
    documentation: str
    envelope: Envelope
