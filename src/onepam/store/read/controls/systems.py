"""The population of accounts of other systems: whether somebody who is here stands behind each."""

from onepam.app.ports import Snapshot
from onepam.domain.controls.control import Population, Test, judged, untested
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.systems import LEFT, NOBODY, STILL_THERE, standings

_WORDS = {
    "": "",
    NOBODY: "nobody stands behind it",
    LEFT: "who stood behind it has left",
    STILL_THERE: "who stood behind it has left, and a list that came since has it still",
}


def stood_behind(db: Snapshot, at: Instant, test: Test) -> Population:
    """OFF-03."""
    days = test.params["list_days"]
    return Population(
        tuple(
            judged("account", f"{each.system}/{each.account}", _WORDS[each.finding])
            if at - each.made <= days * DAY
            else untested("account", f"{each.system}/{each.account}", f"its list is older than {days} days")
            for each in standings(db, at)
        )
    )
