"""A small supervisor: starts programs in stages, restarts what dies, ends everything in reverse order.

* Every program leads a process group of its own, so the terminal's Ctrl-C reaches only the supervisor.
* Whoever is left of a group when its leader has died is killed before the leader is started again.
* If the supervisor itself is killed, the kernel kills its children (`PR_SET_PDEATHSIG`, prctl(2)); what that
  leaves of their children is found by a mark in the environment and ended at the next start.
* `run/lock` below the installation's directory is held (flock(2)) for life: one supervisor for one installation.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import enum
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict

from apps.core.files import private_write
from sparkle.local.output import Output

MARK = "SPARKLE_SUPERVISED"
READY_SECONDS = 120.0
STOP_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# A program that lived this long was sound: its next death starts the back-off anew.
SOUND_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


class StartError(Exception):
    """The installation cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a program runs as."""

    uid: int
    gid: int


class RunAs(TypedDict, total=False):
    """The arguments of subprocess.Popen for an account; none: our own."""

    user: int
    group: int
    extra_groups: list[str | int]


def run_as(account: Account | None) -> RunAs:
    return RunAs(user=account.uid, group=account.gid, extra_groups=[]) if account else RunAs()


class Kind(enum.Enum):
    SERVICE = enum.auto()  # runs until it is stopped
    STEP = enum.auto()  # must end with status 0 before the next stage begins


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep. `ready` is asked (in a thread) until it says yes; without it, running is ready.

    `stop` is the signal for an orderly end.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.SERVICE
    ready: Callable[[], bool] | None = None
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM


class Lock:
    """The right to supervise one directory."""

    def __init__(self, var: Path) -> None:
        self._path = var / "run" / "lock"

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise StartError(
                f"this installation runs already (process {holder}); stop it, or set SPARKLE_VAR to another directory"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def dies_with_parent() -> Callable[[], None]:
    """What a child calls between fork and exec, after a change of account (which would undo it): when the thread that
    started it ends, the kernel kills it."""
    parent = os.getpid()

    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return arrange


def leftovers(var: Path) -> Iterator[int]:
    """Processes that an earlier supervisor of `var` started and that outlived it."""
    mark = f"{MARK}={var}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it ended just now, or is another person's
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def end_leftovers(var: Path) -> None:
    """Kill them, and return when they are gone: their ports and files are free then."""
    while found := list(leftovers(var)):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


class Supervisor:
    """Runs `stages` below `var`; use within `Lock(var)`. Programs of one stage start and stop together."""

    def __init__(self, var: Path, stages: Sequence[Sequence[Program]]) -> None:
        self._var = var
        self._stages = stages
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._output = Output(var / "log", [program.name for stage in stages for program in stage])

    async def run(self, started: Callable[[], None]) -> None:
        """Start all stages, call `started`, keep everything alive until a signal, end everything.

        Raises StartError when a program does not become ready; all others are ended first.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        end_leftovers(self._var)
        keepers: list[list[_Keeper]] = []
        try:
            for stage in self._stages:
                keepers.append([_Keeper(program, self._var, self._output) for program in stage])
                if not await self._all_ready(keepers[-1]):
                    return
            started()
            await self._stopping.wait()
        finally:
            self._output.say("stopping")
            for group in reversed(keepers):
                await asyncio.gather(*(keeper.end(self._hurry) for keeper in group))
            self._output.close()

    async def _all_ready(self, keepers: Sequence[_Keeper]) -> bool:
        """Whether all became ready before somebody asked to stop."""
        stopping = asyncio.create_task(self._stopping.wait())
        ready = asyncio.gather(*(keeper.ready() for keeper in keepers))
        ready.add_done_callback(lambda _: stopping.cancel())
        await asyncio.wait({stopping})
        if self._stopping.is_set():
            ready.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ready
        return not self._stopping.is_set()

    def _ask_to_stop(self) -> None:
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()


class _Keeper:
    """Keeps one program running."""

    def __init__(self, program: Program, var: Path, output: Output) -> None:
        self._program = program
        self._output = output
        self._pidfile = var / "run" / f"{program.name}.pid"
        self._env = {**os.environ, **program.env, MARK: str(var)}
        self._process: asyncio.subprocess.Process | None = None
        self._copying: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())

    async def ready(self) -> None:
        """Returns when the program is ready (a step: done). Raises StartError when it will not be."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise StartError(f"{self._program.name} is not ready after {READY_SECONDS:.0f} s") from None

    async def end(self, hurry: asyncio.Event) -> None:
        """End the program: its own signal first, SIGKILL after a deadline or as soon as `hurry` is set."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self._program.stop)
            waits = {asyncio.create_task(process.wait()), asyncio.create_task(hurry.wait())}
            await asyncio.wait(waits, timeout=STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            await self._bury(process)

    async def _keep(self) -> None:
        now = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while True:
            born = now()
            try:
                end = _say_status(await self._live())
            except OSError as error:
                end = str(error)
            if self._program.kind is Kind.STEP:
                self._settle(f"failed: {end}" if end else None)
                return
            if now() - born > SOUND_SECONDS:
                pause = FIRST_PAUSE
            if not self._ready.done() and pause > FIRST_PAUSE:
                self._settle(f"ended twice before it was ready: {end}")
                return
            self._output.say(
                f"{self._program.name} ended ({end or 'of its own accord'}); starts again in {pause:.1f} s"
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self) -> int:
        """One life of the program: its exit status, negative for a signal. Raises OSError when it cannot be started."""
        process = await self._spawn()
        asking = asyncio.create_task(self._ask(process))
        try:
            status = await process.wait()
        finally:
            asking.cancel()
        await self._bury(process)
        return status

    async def _spawn(self) -> asyncio.subprocess.Process:
        # A pipe of our own: asyncio's own would make wait() last until grandchildren have closed it too.
        reading, writing = os.pipe()
        stream = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
        )
        self._copying = asyncio.create_task(self._output.copy(self._program.name, stream))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._program.command,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
                **run_as(self._program.account),
            )
        finally:
            os.close(writing)
        private_write(self._pidfile, f"{self._process.pid}\n")
        return self._process

    async def _ask(self, process: asyncio.subprocess.Process) -> None:
        """Ask until the program is ready."""
        check = self._program.ready
        if self._ready.done() or self._program.kind is Kind.STEP:
            return
        while check is not None and not await asyncio.to_thread(check):
            await asyncio.sleep(0.05)
        if process.returncode is None:
            self._settle(None)

    async def _bury(self, process: asyncio.subprocess.Process) -> None:
        """End the whole group, print the last words."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._copying is not None:
            await asyncio.wait({self._copying}, timeout=1)
        self._pidfile.unlink(missing_ok=True)
        self._process = None

    def _settle(self, failure: str | None) -> None:
        if self._ready.done():
            return
        if failure is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(StartError(f"{self._program.name} {failure}"))


def _say_status(status: int) -> str:
    """Nothing for success."""
    if status < 0:
        return signal.Signals(-status).name
    return f"status {status}" if status else ""
