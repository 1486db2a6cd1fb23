"""How long after its end an utterance's text is there, while three people talk in turn (README.md)."""

from __future__ import annotations

import sys
import time
from itertools import cycle
from typing import Final

from bench.harness import Report, median, percentile, set_up_django
from tests.corpus.english import librivox, studio
from tests.corpus.mandarin import MEETING, say
from tests.corpus.packages import missing
from tests.corpus.sound import RATE, Sound, Speech, joined, mixed, write

SECONDS: Final = 200
PAUSE: Final = 0.9
"""Seconds between one person and the next: more than what parts two utterances."""
LEAD: Final = 20.0
"""Seconds of silence before the first one speaks, in which the pocket switch reads what they say, and stands still."""
LOOKS: Final = 0.1
"""Seconds between two looks."""
LONGEST_WAIT: Final = 30.0


def tracks() -> list[Sound]:
    """Of three people: Mandarin, English, English of a studio voice; a sentence each, in turn."""
    pools = [cycle([say(text) for text in MEETING]), cycle(librivox()), cycle(studio())]
    voices: list[list[tuple[float, Sound]]] = [[], [], []]
    at = LEAD
    for who, pool in cycle(enumerate(pools)):
        turn: Speech = joined([next(pool)], 0.0)
        if at + turn.seconds > SECONDS:
            break
        voices[who].append((at, turn.samples))
        at += turn.seconds + PAUSE
    return [mixed(SECONDS * RATE, voice) for voice in voices]


def main() -> int:
    if packages := missing():
        sys.exit(f"there is no speech to listen to: apt-get install {' '.join(packages)}")
    set_up_django()
    from tests.system.meeting import running_meeting
    from tests.system.plans import mobile, person
    from tests.system.recorded import moment
    from tests.system.spoken import Reader
    from tests.system.stack import running_stack

    spoken = tracks()
    people = [person(name, mobile(3310 + n, f"931{n}")) for n, name in enumerate(("Lin", "Grant", "Ellen"))]
    report = Report("captions")
    late: dict[str, float] = {}
    with (
        running_stack(switch="pocket") as stack,
        running_meeting(stack, people, minutes_policy="automatic") as meeting,
    ):
        folder = stack.var / "switch" / "sentences"
        for number, samples in enumerate(spoken):
            write(folder / f"clip-1{number}.part", samples)
        for number in range(len(spoken)):
            (folder / f"clip-1{number}.part").rename(folder / f"clip-1{number}.wav")
        time.sleep(LEAD / 2)
        meeting.api.act(meeting.conference, "record", state="on")
        reader = Reader(meeting.api, meeting.conference)
        until = time.time() + SECONDS - LEAD / 2 + LONGEST_WAIT
        while time.time() < until:
            for key, passage in reader.look().items():
                late.setdefault(key, time.time() - moment(passage["ends_at"]))
            time.sleep(LOOKS)
    times = list(late.values())
    report.figure("utterances", str(len(times)))
    report.figure("from the end to the text, p50 / p90", f"{median(times):.2f} / {percentile(times, 0.9):.2f} s")
    report.at_most("seconds of the slowest", max(times), 5)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
