"""Who a notice is for."""

from enum import Flag, auto


class Audience(Flag):
    """Who is told. `REQUESTER` is whoever asked, unless they did it themselves; `DECIDERS` are those who may decide on
    a request, `SECURITY` is the address of the configuration, `SYSTEMS` its webhooks and syslog servers."""

    PERSON = auto()
    REQUESTER = auto()
    DECIDERS = auto()
    ADMINISTRATORS = auto()
    SECURITY = auto()
    SYSTEMS = auto()


ALARM = Audience.ADMINISTRATORS | Audience.SECURITY | Audience.SYSTEMS
"""Whoever can do something about it, and whoever watches."""

WATCHERS = Audience.SECURITY | Audience.SYSTEMS
"""Whoever watches."""

CONCERNED = Audience.PERSON | Audience.SYSTEMS
"""The person whom it is about."""

TO_PEOPLE = Audience.PERSON | Audience.REQUESTER | Audience.DECIDERS
