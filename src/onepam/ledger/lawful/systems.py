"""Rules of other systems: the lists of their accounts, what the brake holds, and who is said to stand behind whom."""

from __future__ import annotations

from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.listed import ListedAccount, System
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts, one_hand, there
from onepam.ledger.lawful.state import State

account_rules = Rules()

SAID_SO = "said"
LIST_SHRINKS, LIST_AGAIN = "account_list.shrinks", "account_list.again"
NO_LISTED_ACCOUNT = "the system had no such account on its list"


@account_rules.of(
    "account_list.taken", "taking a list of a system's accounts", Authority.PERSON, cannot=(Unjudged.MESSAGE,)
)
def account_list_taken(state: State, entry: Entry) -> Why:
    """An administrator; a list that the brake holds only once another has released it. With the accounts that it
    says."""
    body = entry.body
    name = body["system"]
    yield acts(state, body["by"], ADMINISTER)
    system = state.systems.setdefault(name, System(body["by"]))
    released = system.released and system.held is not None and system.held[:2] == (body["list"], body["digest"])
    before = sum(each.system == name for each in state.listed.values())
    if not released and _brake(system, body["digest"], body["gone"], before):
        yield "the brake holds it, and nobody else had released it"
    if body["made"] < system.made:
        yield "it is older than the list in force"
    if body["accounts"] != before + body["added"] - body["gone"]:
        yield "its numbers do not add up"
    system.made, system.digest, system.held, system.released = body["made"], body["digest"], None, False
    system.digests.add(body["digest"])
    state.cause("list", body["list"], name)
    counted = _counted(state, body["list"])
    said = [body["added"], body["changed"], body["gone"]]
    yield Later("other accounts changed with it than it says", lambda: counted != said)


@account_rules.of("account_list.held", "holding a list of a system's accounts", Authority.PERSON)
def account_list_held(state: State, entry: Entry) -> Why:
    """An administrator brought it; the brake holds what lacks too much, or was in force before."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    system = state.systems.get(body["system"])
    before = sum(each.system == body["system"] for each in state.listed.values())
    if system is None or _brake(system, body["digest"], body["missing"], before) != body["because"]:
        yield "the brake does not hold that"
    if system is not None:
        system.held, system.released = (body["list"], body["digest"], body["by"]), False


@account_rules.of("account_list.released", "releasing a held list of a system's accounts", Authority.PERSON)
def account_list_released(state: State, entry: Entry) -> Why:
    """Another administrator than who brought it, under a fresh factor, of the list that is held."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    system = state.systems.get(body["system"])
    if system is None or system.held is None or system.held[:2] != (body["list"], body["digest"]):
        yield "it was not the list that was held last"
        return
    if body["by"] == system.held[2]:
        yield "they brought it themselves"
    yield one_hand(state, body["by"], system.held[2])
    system.released = True


@account_rules.of("account_system.set", "saying who answers for a system", Authority.PERSON)
def account_system_set(state: State, entry: Entry) -> Why:
    """An administrator, of a system that has a list; somebody who is here."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield there(state, body["owner"])
    system = state.systems.get(body["system"])
    if system is None:
        yield "the system had no list"
    else:
        system.owner = body["owner"]


@account_rules.of(
    "listed_account.set", "saying who stands behind an account", Authority.CAUSE, cannot=(Unjudged.ADDRESS,)
)
def listed_account_set(state: State, entry: Entry) -> Why:
    """With the list of its system; who stands behind it as an administrator said, if one did."""
    body = entry.body
    name, who = body["account"], body["person"]
    yield _with_list(entry)
    was = state.listed.get(name)
    if who is not None and who not in state.people:
        yield f"there was no account {who}"
    if was is not None and was.system != body["system"]:
        yield "it was an account of another system"
    elif was is not None and was.said and (was.person, was.service, SAID_SO) != (who, body["service"], body["because"]):
        yield "an administrator had said who stands behind it"
    elif (was is None or not was.said) and body["because"] == SAID_SO:
        yield "no administrator had said who stands behind it"
    _counted(state, body["list"])[0 if was is None else 1] += 1
    said = body["because"] == SAID_SO
    state.listed[name] = ListedAccount(body["system"], tuple(body["rights"]), who, body["service"], said)
    if who is not None:
        state.about.is_of(who, ("listed", name))


@account_rules.of("listed_account.linked", "saying who stands behind an account", Authority.PERSON)
def listed_account_linked(state: State, entry: Entry) -> Why:
    """An administrator, of an account that is on its list; of a service somebody who is here."""
    body = entry.body
    name, who = body["account"], body["person"]
    yield acts(state, body["by"], ADMINISTER)
    was = state.listed.get(name)
    if was is None or was.system != body["system"]:
        yield NO_LISTED_ACCOUNT
    if who is not None and body["service"]:
        yield there(state, who)
    elif who is not None and who not in state.people:
        yield f"there was no account {who}"
    if was is not None:
        was.person, was.service, was.said = who, body["service"], True
    if who is not None:
        state.about.is_of(who, ("listed", name))


@account_rules.of("listed_account.gone", "saying that an account is gone", Authority.CAUSE, cannot=(Unjudged.MESSAGE,))
def listed_account_gone(state: State, entry: Entry) -> Why:
    """With the list of its system, of an account that was on it."""
    body = entry.body
    yield _with_list(entry)
    was = state.listed.pop(body["account"], None)
    if was is None or was.system != body["system"]:
        yield NO_LISTED_ACCOUNT
    elif was.person != body["person"]:
        yield "somebody else stood behind it"
    _counted(state, body["list"])[2] += 1


def _with_list(entry: Entry) -> Unless:
    body = entry.body
    return Unless("no list of its system was taken with it", (("list", body["list"], body["system"]),))


def _counted(state: State, name: str) -> list[int]:
    """The accounts that were added, changed and gone with a list so far."""
    found: list[int] = state.kept.setdefault(("listed", name), [0, 0, 0])
    return found


def _brake(system: System, digest: str, gone: int, before: int) -> str:
    """Why the brake holds a list; empty where it does not."""
    if 2 * gone > before:
        return LIST_SHRINKS
    return LIST_AGAIN if digest in system.digests and digest != system.digest else ""
