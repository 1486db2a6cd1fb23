"""SIP phones for tests: they register over TLS, answer, send a tone of their own, and keep what they hear.

All phones of a process share one SIP stack (baresip allows one), which runs on a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from baresip import Account, AudioNotActive, AudioRestarted, BaresipError, Call, CallState, Config, Runtime, UserAgent
from numpy.typing import NDArray

from tests.live.speech import likeness
from tests.live.tones import TONES, heard, levels, tone
from tests.servers import wait_until

T = TypeVar("T")

KEPT = 20.0  # seconds of what was heard
_AHEAD = 0.2  # seconds of tone that wait in the stack to be sent: more than a busy machine holds this thread up
OPUS, G722, PCMA = "opus/48000/2", "g722/16000/1", "pcma"
SECURE, PLAIN = "srtp-mand", ""


class Phone:
    """One registered phone. `frequency` is the tone that it sends while it is in a call; None: silence, but for what it
    is told to say.
    """

    def __init__(self, phones: Phones, number: str, frequency: int | None) -> None:
        self.number = number
        self.frequency = frequency
        self.answers = True
        self.called = 0
        self.suite: str | None = None
        self._phones = phones
        self._agent: Any = None
        self._call: Any = None
        self._table: NDArray[np.int16] | None = None
        self._position = 0
        self._speech = np.zeros(0, np.int16)
        self._rate = 0
        self._audio = np.zeros(0, np.int16)
        self._total = 0
        self._since = 0

    @property
    def in_call(self) -> bool:
        return self._call is not None and self._call.state is CallState.ESTABLISHED

    def hang_up(self) -> None:
        self._phones.do(self._call.hangup())

    def drop(self) -> None:
        """Forget the call without telling the other side."""
        with contextlib.suppress(BaresipError):
            self._phones.do(self._call.hangup())

    def register_again(self) -> None:
        self._phones.do(self._agent.register(timeout=3))

    def press(self, keys: str) -> None:
        self._phones.do(self._call.send_dtmf(keys))

    def dial(self, number: str) -> None:
        """Call a number; raises baresip's CallFailed when it is refused."""

        async def dial() -> None:
            call = await self._agent.dial(f"sip:{number}@{self._phones.server};transport=tls")
            self._call, self._rate, self._table = call, 0, None
            await call.wait_established()

        self._phones.do(dial())

    def heard_say(self, file: Path) -> float:
        """How much of a sound file was heard since `forget_heard`, from 0 to 1."""
        audio = self._audio[max(0, self._audio.size - (self._total - self._since)) :]
        return likeness(audio, self._rate, file) if audio.size else 0.0

    def forget_heard(self) -> None:
        """Prompts have words in common: one that was heard before is like one that is not to be heard now."""
        self._since = self._total

    def say(self, speech: NDArray[np.int16]) -> None:
        """Say this once, from now on; it is at the rate of the phone's codec, 48 kHz for Opus."""
        self._speech = speech

    def record(self, seconds: float) -> tuple[NDArray[np.int16], int]:
        """What is heard from now on for so long, at most KEPT, and its rate."""
        return self._next(seconds).copy(), self._rate

    def listen(self, seconds: float = 1.0, frequencies: Sequence[int] = TONES) -> dict[int, float]:
        """Listen from now on for so long; the level of each frequency, in dB."""
        return levels(self._next(seconds), self._rate, frequencies)

    def hears(self, seconds: float = 1.0) -> set[int]:
        """Listen from now on for so long; the tones heard."""
        return heard(self._next(seconds), self._rate)

    def wait_to_hear(self, tones: set[int], seconds: float = 10) -> None:
        """Wait until just these tones are heard, and are all that is heard for the second that follows."""
        wait_until_heard({self: tones}, seconds)

    def _next(self, seconds: float) -> NDArray[np.int16]:
        return _next_of([self], seconds)[0]

    # On the stack's thread:

    async def register(self, password: str, codec: str, encryption: str) -> None:
        account = Account(
            user=self.number,
            domain=self._phones.server,
            password=password,
            transport="tls",
            audio_codecs=(codec,),
            extra_params=(f"mediaenc={encryption}",) if encryption else (),
        )
        self._agent = await UserAgent.create(self._phones.runtime, account)
        self._agent.on_incoming(self._incoming)
        await self._agent.register()

    async def unregister(self) -> None:
        if self._agent is not None:
            with contextlib.suppress(BaresipError):
                await self._agent.unregister()

    def _incoming(self, call: Call) -> None:
        self.called += 1
        if not self.answers:
            return
        self._call, self._rate, self._table = call, 0, None
        # Nobody offers video; but told to refuse it, baresip sends a re-INVITE at once, in which FreeSWITCH changes its
        # key, and about one time in a hundred the phone then cannot decrypt any more.
        self._phones.start(call.answer(video=True))

    def pump(self) -> None:
        """Send what is due, take what has come. Asked every 20 ms."""
        if self._call is None or self._call.state is CallState.CLOSED:
            return
        try:
            audio = self._call.audio
            info = audio.info()
            if info.tx_ready and self._speech.size:
                self._speak(audio, info)
            elif info.tx_ready and self.frequency is not None:
                self._send(audio, info)
            if info.rx_ready:
                self._take(audio.read(info.rx_capacity), info.rx_sample_rate, info.rx_channels)
        except (AudioNotActive, AudioRestarted):
            pass  # not yet, or a re-INVITE: the next turn binds anew

    def _send(self, audio: Any, info: Any) -> None:
        if self._table is None:
            assert self.frequency is not None
            self._table = tone(self.frequency, info.tx_sample_rate)
        missing = int(_AHEAD * info.tx_sample_rate) - info.tx_buffered // (2 * info.tx_channels)
        if missing > 0:
            samples = np.take(self._table, range(self._position, self._position + missing), mode="wrap")
            audio.write(np.repeat(samples, info.tx_channels).tobytes())
            self._position = (self._position + missing) % self._table.size

    def _speak(self, audio: Any, info: Any) -> None:
        room = max(0, int(_AHEAD * info.tx_sample_rate) - info.tx_buffered // (2 * info.tx_channels))
        now, self._speech = self._speech[:room], self._speech[room:]
        if now.size:
            audio.write(np.repeat(now, info.tx_channels).tobytes())

    def _take(self, pcm: bytes, rate: int, channels: int) -> None:
        samples = np.frombuffer(pcm, np.int16)[::channels]
        self._audio = np.concatenate([self._audio, samples])[-int(KEPT * rate) :]
        self._rate = rate
        self._total += samples.size


def wait_until_heard(wanted: Mapping[Phone, set[int]], seconds: float = 10) -> None:
    """Wait until each of these phones hears just these tones, all of them in one moment, and each of them nothing else
    in the second that follows.
    """

    last: Mapping[Phone, set[int]] = {}

    def hear(seconds: float) -> dict[Phone, set[int]]:
        heard_by = zip(wanted, _next_of(list(wanted), seconds), strict=True)
        return {phone: heard(samples, phone._rate) for phone, samples in heard_by}

    def just_these() -> bool:
        nonlocal last
        last = hear(0.25)
        return last == wanted

    def named(found: Mapping[Phone, set[int]]) -> str:
        return ", ".join(f"{phone.number}: {sorted(tones)}" for phone, tones in found.items())

    try:
        wait_until(just_these, f"what is heard is {named(wanted)}", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; last heard {named(last)}") from None
    after = hear(1.0)
    assert after == wanted, f"heard was {named(wanted)}, then {named(after)}"


def _next_of(phones: Sequence[Phone], seconds: float) -> list[NDArray[np.int16]]:
    """What each of them hears for so long, of the same time."""
    for phone in phones:
        wait_until(lambda phone=phone: phone.in_call and phone._rate > 0, f"{phone.number} is in a call")  # type: ignore[misc]
    sizes = [int(seconds * phone._rate) for phone in phones]
    ends = [phone._total + size for phone, size in zip(phones, sizes, strict=True)]
    found = []
    for phone, size, end in zip(phones, sizes, ends, strict=True):
        wait_until(
            lambda phone=phone, end=end: phone._total >= end,  # type: ignore[misc]
            f"{phone.number} hears {seconds} s",
            seconds + 10,
        )
        found.append(phone._audio[-size:])
    return found


class Phones:
    """The stack that the phones of a test run live in; `server` is host:port of the switch, `authority` its CA file.
    Without `stereo` they say that they take Opus in mono.
    """

    def __init__(self, server: str, authority: Path, *, stereo: bool = True) -> None:
        self.server = server
        self.runtime = Runtime(command_timeout=10)
        self._config = Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            native_log_level="warning",
            # Ports apart from the switch's (10000-19998): its sockets share theirs with others, and a call is lost.
            extra_config_text=f"sip_cafile {authority}\nsip_verify_server yes\nrtp_ports 40000-49998\n"
            + ("" if stereo else "opus_stereo no\nopus_sprop_stereo no\n"),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="phones")
        self._phones: list[Phone] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self.runtime.start(self._config))
        self._pump = self.start(self._pumping())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pump.cancel()
        self.do(self.runtime.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def register(
        self,
        number: str,
        password: str,
        *,
        frequency: int | None = None,
        codec: str = OPUS,
        encryption: str = SECURE,
    ) -> Phone:
        """Raises baresip's RegistrationError when the switch refuses."""
        phone = Phone(self, number, frequency)
        self.do(phone.register(password, codec, encryption))
        self._phones.append(phone)
        return phone

    def forget(self) -> None:
        """Unregister all phones."""
        phones, self._phones = self._phones, []
        for phone in phones:
            self.do(phone.unregister())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _pumping(self) -> None:
        while True:
            for phone in self._phones:
                phone.pump()
            await asyncio.sleep(0.02)
