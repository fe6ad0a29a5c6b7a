"""How a permission may be asked for, in words: the one place where pages, plans and the command line have them from."""

from onepam.domain.access.asked import Asking, Unasked
from onepam.kernel.clock import DAY, HOUR, MINUTE


def asking_words(asks: Asking) -> tuple[str, ...]:
    """What asking takes beyond a yes, and what else may be asked for; one fact each: `2 people say yes`."""
    said: list[str] = []
    if asks.approvals > 1:
        said.append(f"{asks.approvals} people say yes")
    if asks.ticketed or asks.ticket:
        said.append(ticket_words(asks))
    if asks.ahead:
        said.append(f"up to {length(asks.ahead)} ahead")
    if asks.weekly:
        said.append(f"within weekly hours for up to {length(asks.weekly)}")
    if asks.escalates:
        said.append(f"after {length(asks.escalates)} {' or '.join(asks.then)} may decide, too")
    if asks.first_use:
        said.append("from its first use on, within a window")
    if asks.unasked is not None:
        said.append(f"nobody is asked for {unasked_words(asks.unasked)}")
    return tuple(said)


def unasked_words(rule: Unasked) -> str:
    """`1 h at a time, 3 times in seven days, within Mon-Fri 09:00-17:00 Europe/Berlin`."""
    times = "once" if rule.most == 1 else f"{rule.most} times"
    hours = "" if rule.hours is None else f", within {rule.hours.words()}"
    return f"{length(rule.longest)} at a time, {times} in seven days{hours}"


def length(duration: int) -> str:
    """`30 days`, `4 h`, `1 h 30 min`; what is shorter than a minute is one (microseconds)."""
    days = duration // DAY
    if days > 1 and duration % DAY == 0:
        return f"{days} days"
    hours, minutes = divmod(max(1, duration // MINUTE), HOUR // MINUTE)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part)


def ticket_words(asks: Asking) -> str:
    """`a ticket is needed that matches ^OPS-`."""
    like = f" that matches {asks.ticket}" if asks.ticket else ""
    if asks.ticketed:
        return f"a ticket is needed{like}"
    return f"a ticket, if any,{like}" if like else "any ticket or none"
