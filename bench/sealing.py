"""Sealing a two-hour track against cp, opening it against age, a seek, memory, and 200 live tracks (README.md)."""

from __future__ import annotations

import base64
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from uuid import UUID

from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.frames import AT_ONCE
from apps.recordings.sealed.header import FRAME_SIZE, Header
from apps.recordings.sealed.keys import new_data_key
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealed.writer import Writer
from bench.harness import Child, Report, answer_questions, installation, median, percentile

#: Bytes of a second of 16 kHz mono.
SECOND = 32_000
HOUR = 3600 * SECOND
TRACK = Header(UUID(int=1))
KEY = new_data_key()
ROUNDS = 7
SEEKS = 300
LIVE, SPEAKERS, LIVE_SECONDS = 200, 20, 60
#: Seconds in which 200 files are made and their keys fetched: what it takes to go on counts from then.
BEGINNING = 2
#: Memory, as the spool has it.
SPOOL = Path("/dev/shm")
#: What the bench itself may not need, so that memory is that of the module.
CHUNK = 1 << 20


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Counting(OpenFile):
    """Counts what is read."""

    bytes = 0

    def read_into(self, offset: int, buffer: memoryview) -> int:
        done = super().read_into(offset, buffer)
        self.bytes += done
        return done


def make(path: Path, size: int) -> None:
    """Noise: nothing here depends on what is said, and no file system can make it smaller."""
    with path.open("wb") as file:
        left = size
        while left:
            left -= file.write(os.urandom(min(CHUNK, left)))


def seal(plain: Path, sealed: Path) -> None:
    """Several frames at a time, as a sealer that has to catch up."""
    with opened(plain) as source, opened(sealed, os.O_RDWR | os.O_CREAT | os.O_TRUNC) as target:
        writer = Writer(OpenFile(target), KEY, TRACK)
        spool, piece = OpenFile(source), memoryview(bytearray(AT_ONCE))
        while (count := spool.read_into(writer.frames * FRAME_SIZE, piece)) == AT_ONCE:
            writer.append(piece)
        whole = count // FRAME_SIZE * FRAME_SIZE
        writer.append(piece[:whole])
        writer.finish(piece[whole:count])


def open_all(sealed: Path) -> int:
    with opened(sealed) as descriptor:
        return sum(len(piece) for piece in Reader(OpenFile(descriptor), KEY).pieces())


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(*works: Callable[[], object]) -> list[float]:
    """The median of each; the first round is not counted."""
    rounds = [[timed(work) for work in works] for _ in range(ROUNDS + 1)][1:]
    return [median(times) for times in zip(*rounds, strict=True)]


def rate(seconds: float) -> str:
    return f"{2 * HOUR / seconds / 1e6:,.0f} MB/s"


def against_cp(report: Report, plain: Path, directory: Path, where: str) -> None:
    copy, sealed = directory / "copy", directory / "sealed"

    def cp() -> None:
        # Both make a new file in each turn. Without reflinks, where nothing would be copied.
        copy.unlink(missing_ok=True)
        subprocess.run(["cp", "--reflink=never", plain, copy], check=True)

    def ours() -> None:
        sealed.unlink(missing_ok=True)
        seal(plain, sealed)

    copying, sealing = in_turns(cp, ours)
    report.figure(f"from memory to {where}: cp", rate(copying))
    report.figure(f"from memory to {where}: sealed", rate(sealing))
    report.at_least(f"sealing to {where}, to cp", copying / sealing, 1)
    copy.unlink()
    sealed.unlink()


def against_age(report: Report, plain: Path, sealed: Path, directory: Path) -> None:
    if not (shutil.which("age") and shutil.which("age-keygen")):
        report.figure("age", "not installed (Debian: age)")
        report.figure("opened", rate(in_turns(lambda: open_all(sealed))[0]))
        return
    identity, encrypted = directory / "identity", directory / "age"
    subprocess.run(["age-keygen", "-o", identity], check=True, capture_output=True)
    recipient = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout
    subprocess.run(["age", "-r", recipient.strip(), "-o", encrypted, plain], check=True)

    def age() -> None:
        with Path(os.devnull).open("wb") as nowhere:
            subprocess.run(["age", "-d", "-i", identity, encrypted], check=True, stdout=nowhere)

    theirs, ours = in_turns(age, lambda: open_all(sealed))
    report.figure("opened, written nowhere: age", rate(theirs))
    report.figure("opened, written nowhere: ours", rate(ours))
    report.at_least("opening, to age", theirs / ours, 10)


def seek(report: Report, sealed: Path, hours: float) -> None:
    """Five seconds at a random place: opening the file for each, as a request does, and with an open reader."""
    random, fresh, kept, read = Random(hours), [], [], []
    with opened(sealed) as descriptor:
        reader = Reader(OpenFile(descriptor), KEY)
        buffer = bytearray(5 * SECOND)
        for _ in range(SEEKS):
            offset = random.randrange(0, reader.length - len(buffer), 2)
            source = Counting(descriptor)
            began = time.perf_counter()
            Reader(source, KEY).read_into(offset, buffer)
            middle = time.perf_counter()
            reader.read_into(offset, buffer)
            kept.append(time.perf_counter() - middle)
            fresh.append(middle - began)
            read.append(source.bytes)
    name = f"5 s of {hours:g} h"
    report.figure(f"{name}, file opened for it, p50 / p99", microseconds(fresh))
    report.figure(f"{name}, reader kept, p50 / p99", microseconds(kept))
    report.figure(f"{name}, most bytes read", f"{max(read):,}")
    report.at_most(f"{name}, file opened for it, p50 in ms", median(fresh) * 1000, 1)
    report.at_most(f"{name}, MiB read", max(read) / (1 << 20), 1)


def microseconds(times: list[float]) -> str:
    return f"{median(times) * 1e6:.0f} / {sorted(times)[int(len(times) * 0.99)] * 1e6:.0f} µs"


def most_memory(work: str, plain: str, sealed: str) -> int:
    """In a process of its own: the most bytes it ever had, after sealing or opening."""
    if work == "seal":
        seal(Path(plain), Path(sealed))
    else:
        # The key is another in this process: what is opened is sealed in it.
        open_all(Path(sealed))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory(report: Report, directory: Path, plain: Path, short: Path) -> None:
    peaks = []
    for track in (short, plain):
        with Child("bench.sealing", "answer") as child:
            peaks.append(
                [child.ask(work, plain=str(track), sealed=str(directory / "memory")) for work in ("seal", "open")]
            )
    (directory / "memory").unlink()
    for name, little, much in zip(("sealing", "sealing and opening"), *peaks, strict=True):
        report.figure(f"most memory, {name}: 1 min, 2 h", f"{little / 1e6:.1f}, {much / 1e6:.1f} MB")
        report.at_most(f"{name}: 2 h more than 1 min, MB", (much - little) / 1e6, 1)


def live(report: Report) -> None:
    """Tracks that grow by the clock, and the sealer of their node with its database: some people speak, the others are
    in rooms that are not quite silent. What the switch's writing takes is not counted.
    """
    import numpy as np
    from django.conf import settings
    from django.utils import timezone

    from apps.core.ids import new_id
    from apps.core.queues import IDLE
    from apps.recordings.models import Track, Utterance
    from apps.recordings.places import clear_file
    from apps.recordings.sealing.again import lay_out
    from apps.recordings.sealing.sealer import Sealer
    from apps.recordings.sealing.spool import Spool
    from apps.switch.speech import speak
    from tests.factories import add_participant, make_conference, make_node, make_user

    node = make_node()
    conference = make_conference(make_user("owner"), node=node)
    # Of persons, in which the sealer listens for utterances. The switch has told that it records them.
    fields = {"conference": conference, "node": node, "kind": Track.Kind.PERSON, "part": 1}
    moments = dict.fromkeys(("requested_at", "started_at"), timezone.now())
    people = [add_participant(conference) for _ in range(LIVE)]
    tracks = Track.objects.bulk_create(
        Track(id=new_id(), participant=person, leg=new_id(), **fields, **moments) for person in people
    )
    text = "The next point is the budget of next year. Who would like to begin?"
    speech = np.tile(speak(text, "en"), LIVE_SECONDS).astype("<i2").tobytes()
    room = np.random.default_rng(1).normal(0, 10, LIVE_SECONDS * SECOND).astype("<i2").tobytes()
    # People do not begin to speak together: each track is ahead by a part of a frame.
    sounds = [(speech if number < SPEAKERS else room, number * 2 * 40) for number in range(LIVE)]
    sealer = Sealer(node.name, Spool(settings.SPARKLE_SPOOL_DIR))
    files = [clear_file(track.pk).open("ab", buffering=0) for track in tracks]
    began, busy, beginning, rounds, at = time.monotonic(), 0.0, 0.0, [], 0
    while at < LIVE_SECONDS * SECOND:
        time.sleep(max(0.0, began + at / SECOND - time.monotonic()))
        size = int(IDLE * SECOND)
        for file, (sound, ahead) in zip(files, sounds, strict=True):
            file.write(sound[at + ahead : at + ahead + size])
        at += size
        start, used = time.monotonic(), time.process_time()
        sealer.round()
        lay_out(node.name)
        busy += time.process_time() - used
        rounds.append(time.monotonic() - start)
        if at <= BEGINNING * SECOND:
            beginning = busy
    share = (busy - beginning) / (LIVE_SECONDS - BEGINNING)
    for file in files:
        file.close()
    Track.objects.filter(node=node).update(ended_at=timezone.now())
    while sealer.round():
        pass
    sealed = Track.objects.filter(state=Track.State.SEALED, length=LIVE_SECONDS * SECOND).count()
    report.figure(f"{LIVE} tracks begin at once", f"{beginning:.2f} s of a core in their first {BEGINNING} s")
    report.figure(f"{LIVE} live tracks, {SPEAKERS} speak, then", f"{share * 100:.2f} % of a core")
    report.figure("a round, p50 / p99", f"{median(rounds) * 1e3:.1f} / {percentile(rounds, 0.99) * 1e3:.1f} ms")
    report.at_most(f"{LIVE} live tracks, % of a core", share * 100, 5)
    report.holds(f"{sealed} of {LIVE} sealed", sealed == LIVE)
    heard = Utterance.objects.filter(track__in=tracks).values("track").distinct().count()
    report.holds(f"utterances of {heard} of {SPEAKERS}, and of nobody else", heard == SPEAKERS)


def main() -> int:
    report = Report("sealing")
    with (
        tempfile.TemporaryDirectory(prefix="sparkle-bench-", dir=SPOOL) as in_memory,
        tempfile.TemporaryDirectory(prefix="sparkle-bench-", dir="/var/tmp") as on_disk,
    ):
        spool, disk = Path(in_memory), Path(on_disk)
        plain, sealed = spool / "plain", spool / "track"
        make(plain, 2 * HOUR)
        against_cp(report, plain, spool, "memory")
        against_cp(report, plain, disk, "disk")
        seal(plain, sealed)
        against_age(report, plain, sealed, spool)
        seek(report, sealed, 2)
        make(plain, 12 * HOUR)
        seal(plain, sealed)
        seek(report, sealed, 12)
        make(plain, 2 * HOUR)
        short = spool / "short"
        make(short, 60 * SECOND)
        memory(report, spool, plain, short)
        live_spool, recordings = str(spool / "spool"), str(disk / "recordings")
        keys = f"first {base64.b64encode(KEY).decode()}"
        with installation(SPARKLE_SPOOL_DIR=live_spool, SPARKLE_RECORDINGS_DIR=recordings, SPARKLE_RECORDING_KEYS=keys):
            live(report)
    return report.status


if __name__ == "__main__":
    if sys.argv[1:] == ["answer"]:
        answer_questions(
            {
                "seal": lambda plain, sealed: most_memory("seal", plain, sealed),
                "open": lambda plain, sealed: most_memory("open", plain, sealed),
            }
        )
        sys.exit()
    sys.exit(main())
