"""A whole protocol on the gateway, as small as one can be: lines to a server that sends them back, recorded first.

A client's first line is `PERSON SIGN_IN LOGIN@TARGET`, with `-` for a sign-in where there is none: here a word proves
what a signature proves elsewhere. A target is known by its first line, which is the pin.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from onepam.app.open_session import Opened
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import Place
from onepam.gateway.entering import Admission, Proven, refusal_words
from onepam.gateway.parting import cut, part
from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.gateway.session import Gateway, Legs
from onepam.kernel.errors import Fault, Refused
from onepam.recording.frames import ChannelClosed, ChannelOpened, Frame, Input, Output, Stream


class Lines(asyncio.Protocol):
    """A connection that speaks lines: either leg of a session. `full` is told whether it takes more."""

    def __init__(self, left: SessionEnd = SessionEnd.CLIENT_LEFT) -> None:
        self.left = left
        self.heard: Callable[[bytes], object] = lambda line: None
        self.full: Callable[[bool], None] = lambda full: None
        self.early: list[bytes] = []
        self.over = asyncio.Event()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.heard(line + b"\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    def pause_writing(self) -> None:
        self.full(True)

    def resume_writing(self) -> None:
        self.full(False)

    def hold(self, full: bool) -> None:
        (self.transport.pause_reading if full else self.transport.resume_reading)()

    def send(self, words: bytes | str) -> None:
        if not self.is_closed():
            self.transport.write(words.encode() if isinstance(words, str) else words)

    def close(self) -> None:
        self.transport.close()

    def is_closed(self) -> bool:
        return self.over.is_set() or self.transport.is_closing()

    async def wait_closed(self) -> None:
        await self.over.wait()

    def cut(self) -> None:
        if not self.is_closed():
            cut(self.transport)

    def part(self, words: str) -> asyncio.Event:
        if self.is_closed():
            return self.over
        self.send(f"OnePAM: {words}.\n")
        self.over.set()
        return part(self.transport)


class EchoRelay:
    """Lines both ways, each with the recorder before it is sent on. The client is read once the target is there."""

    def __init__(self, client: Lines, target: "asyncio.Future[Lines | Refused]", recorder: Recorder) -> None:
        self._client, self._target, self._recorder, self._ended = client, target, recorder, False
        recorder.record(ChannelOpened(recorder.at, 1, "exec", "echo"))
        target.add_done_callback(self._dialled)

    def _dialled(self, target: "asyncio.Future[Lines | Refused]") -> None:
        if target.cancelled() or self._ended:
            return
        there, client, recorder = target.result(), self._client, self._recorder
        if isinstance(there, Refused):
            client.send(f"refused: {there.message}\n")
            return
        client.heard = lambda line: self._pass(Input(recorder.at, 1, line), line, there)
        there.heard = lambda line: self._pass(Output(recorder.at, 1, Stream.STDOUT, line), line, client)
        client.full, there.full = there.hold, client.hold
        client.send(b"ready\n")
        for line in client.early:
            client.heard(line)

    def _pass(self, frame: Frame, line: bytes = b"", to: Lines | None = None) -> None:
        with suppress(RecorderFailed):
            if not self._ended:
                self._recorder.record(frame)
                if to is not None:
                    to.send(line)

    def tell(self, words: str) -> None:
        """Nobody sits here."""

    async def close(self) -> None:
        self._end(Lines.close)

    def abort(self) -> None:
        self._end(Lines.cut)

    def _end(self, hang_up: Callable[[Lines], None]) -> None:
        self._pass(ChannelClosed(self._recorder.at, 1))
        self._ended = True
        self._client.cut()
        self._target.cancel()
        if self._target.done() and not self._target.cancelled() and isinstance(there := self._target.result(), Lines):
            hang_up(there)


@dataclass
class EchoLegs(Legs[Lines, EchoRelay]):
    client: Lines
    protocol: str = "echo"

    async def dial(self, opened: Opened, address: str) -> Lines | Refused:
        loop, there = asyncio.get_running_loop(), Lines(SessionEnd.TARGET_LOST)
        first = loop.create_future()
        there.heard = lambda line: None if first.done() else first.set_result(line)
        try:
            await loop.create_connection(lambda: there, address, opened.port)
        except OSError as error:
            return Refused("target.down", f"the target cannot be reached: {error}")
        with ExitStack() as unless_pinned:
            unless_pinned.callback(there.cut)
            if (await first).decode().strip() not in opened.pins:
                return Refused("target.host_key", "the target is not the pinned one")
            unless_pinned.pop_all()
        return there

    def relay(self, opened: Opened, target: "asyncio.Future[Lines | Refused]", recorder: Recorder) -> EchoRelay:
        return EchoRelay(self.client, target, recorder)


class EchoDoor(Lines):
    """A client from its first line to its session."""

    def __init__(self, gateway: Gateway, place: Place) -> None:
        super().__init__()
        self._gateway, self._place = gateway, place
        self.heard = self._knock

    def _knock(self, line: bytes) -> None:
        self.heard = self.early.append
        self._gateway.tasks.spawn(self._enter(line))

    async def _enter(self, line: bytes) -> None:
        person, sign_in, where = line.decode().split()
        login, _, target = where.partition("@")
        entry = EntryPoint.SSH_KEY_CONFIRMED if sign_in == "-" else EntryPoint.SSH_CERTIFICATE
        who = Proven(person, entry, None if sign_in == "-" else sign_in)
        door = Admission(self._gateway, EchoLegs(self), self._place, "127.0.0.1", "echo", self.send)
        answer: EchoRelay | Refused = Refused("gateway.unavailable", "The gateway cannot open sessions now.")
        with suppress(Fault):
            answer = await door.enter(who, login, target)
        self._place.leave()
        if isinstance(answer, Refused):
            self.send(refusal_words(answer))
            self.transport.close()
