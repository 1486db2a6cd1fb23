"""Text of known speech against the bare engine, what is no speech, an echo; cost against a CLI; memory (README.md)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, cycle, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from opencc import OpenCC

from apps.minutes.engines.faster_whisper import FasterWhisper
from apps.minutes.pipeline.result import Said, Setting, Utterance
from apps.minutes.pipeline.transcribe import transcribe
from bench.harness import Report, median, percentile
from bench.scribe import THREADS, bare
from sparkle.local.model import FOLDER, provide_model
from tests.corpus.english import librivox, studio
from tests.corpus.heard import cut_of, floats, listen, passages, spans_of
from tests.corpus.lines import echo, telephone
from tests.corpus.mandarin import MEETING, say
from tests.corpus.noises import noises
from tests.corpus.packages import missing
from tests.corpus.scene import three_people
from tests.corpus.scores import Errors, Passage, errors, start_errors
from tests.corpus.sound import RATE, Sentence, Sound, Speech, clipped, joined, mixed, write

SETTING: Final = Setting(languages=("zh", "en"))
PAUSE: Final = 0.8
"""Seconds between the sentences of a track."""
SHORT_PAUSE: Final = 0.3
"""Less than what parts two utterances."""
NOISE: Final = -43.0
"""dB of full scale: 20 dB below the voices."""
ECHOES: Final = ((-25.0, 0.05), (-25.0, 0.3), (-30.0, 0.15), (-40.0, 0.15))
"""dB and seconds."""
ROUNDS: Final = 3
COST_SECONDS: Final = 180
SHORT_TRACK, LONG_TRACK = 600, 7200
MARKS: Final = "，。？！；、"
CLI: Final = "whisper-ctranslate2"

_SIMPLIFIED: Final = OpenCC("t2s")


@dataclass(frozen=True)
class Track:
    """`others`: what the other tracks of the conference have at the same time."""

    group: str
    samples: Sound
    said: tuple[Sentence, ...]
    others: tuple[Sound, ...] = ()


@dataclass
class Outcome:
    """What one of the two made of the tracks of a group."""

    errors: Errors = field(default_factory=lambda: Errors(0, 0))
    starts: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, track: Track, written: Sequence[Passage]) -> None:
        text = " ".join(passage.text for passage in written)
        self.texts.append(text)
        # Which characters it is written in is counted by itself.
        self.errors += errors(" ".join(sentence.text for sentence in track.said), _SIMPLIFIED.convert(text))
        self.starts += [abs(late) for late in start_errors(track.said, written)]

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def tracks() -> list[Track]:
    read, phone, chinese = librivox(), studio(), [say(text) for text in MEETING]
    made: list[Track] = []
    for pause, manner in ((PAUSE, ""), (SHORT_PAUSE, ", hardly a pause")):
        for group, parts in (("English", read), ("English, 8 kHz", phone), ("Mandarin", chinese)):
            speech = joined(parts, pause, lead=1.0)
            samples = telephone(speech.samples) if parts is phone else speech.samples
            made.append(Track(f"{group}{manner}", samples, speech.sentences))
    for group, parts in (("English", read), ("Mandarin", chinese)):
        speech = joined(parts, PAUSE, lead=1.0)
        made.append(Track(f"{group}, noise", noisy(speech.samples), speech.sentences))
    people = three_people().people
    for person in people:
        others = tuple(other.samples for other in people if other is not person)
        made.append(Track("three people", person.samples, person.sentences, others))
    return made


def noisy(samples: Sound) -> Sound:
    noise = np.random.default_rng(2).normal(0, 32768 * 10 ** (NOISE / 20), samples.size)
    return clipped(samples + noise)


def quality(report: Report, engine: FasterWhisper, model: Any) -> None:
    groups: dict[str, tuple[Outcome, Outcome]] = {}
    for track in tracks():
        ours, theirs = groups.setdefault(track.group, (Outcome(), Outcome()))
        others = [cut_of(other) for other in track.others]
        heard = listen(engine, SETTING, spans_of(track.samples), cut_of(track.samples), others)
        ours.add(track, passages(heard))
        theirs.add(track, bare(model, track.samples))
    for group, (ours, theirs) in groups.items():
        for name, outcome in (("bare engine", theirs), ("ours", ours)):
            report.figure(
                f"{group}: {name}",
                f"{outcome.errors.percent:.1f} %, starts {median(outcome.starts):.2f} / "
                f"{percentile(outcome.starts, 0.9):.2f} s",
            )
        worse = ours.errors.percent - theirs.errors.percent
        report.at_most(f"{group}: points that ours has more errors", worse, 1)
    mine, bares = ([s for pair in groups.values() for s in pair[which].starts] for which in (0, 1))
    report.figure(f"all {len(mine)} sentence starts: bare engine, p50 / p90", spread(bares))
    report.figure("all sentence starts: ours", spread(mine))
    report.at_most("starts, p50, to the bare engine", median(mine) / median(bares), 1)
    report.at_most("starts, p90, to the bare engine", percentile(mine, 0.9) / percentile(bares, 0.9), 1)
    chinese = [pair for group, pair in groups.items() if group.startswith("Mandarin")]
    for name, which in (("bare engine", 1), ("ours", 0)):
        text = "".join(pair[which].text for pair in chinese)
        report.figure(f"Chinese: {name}", f"{traditional(text)} traditional, {marks(text)} marks")
    text = "".join(ours.text for ours, _ in chinese)
    report.holds("all Chinese is simplified", not traditional(text))
    said = sum(marks(sentence) for sentence in MEETING) * len(chinese)
    report.at_least("Chinese punctuation, to what was written first", marks(text) / said, 0.8)


def spread(starts: Sequence[float]) -> str:
    return f"{median(starts):.2f} / {percentile(starts, 0.9):.2f} s"


def traditional(text: str) -> int:
    return sum(one != other for one, other in zip(text, _SIMPLIFIED.convert(text), strict=True))


def marks(text: str) -> int:
    return sum(text.count(mark) for mark in MARKS)


def live(report: Report, engine: FasterWhisper) -> None:
    """Each utterance by itself, as soon as it has ended."""
    for group, parts in (("English, 8 kHz", studio()), ("Mandarin", [say(text) for text in MEETING])):
        speech = joined(parts, PAUSE, lead=1.0)
        samples = telephone(speech.samples) if group != "Mandarin" else speech.samples
        outcome, times, written = Outcome(), [], list[Passage]()
        for span in spans_of(samples):
            began = time.perf_counter()
            written += passages(listen(engine, SETTING, [span], cut_of(samples), live=True))
            times.append(time.perf_counter() - began)
        outcome.add(Track(group, samples, speech.sentences), written)
        report.figure(
            f"live, {group}: errors; an utterance, p50 / p90",
            f"{outcome.errors.percent:.1f} %; {spread(times)}",
        )


def no_speech(report: Report, engine: FasterWhisper) -> None:
    for name, sound in noises().items():
        found = listen(engine, SETTING, spans_of(sound), cut_of(sound))
        # Also as a whole, whatever the recording part thinks of it, and as live text.
        results = [each.result for each in found]
        for at_once in (True, False):
            results += transcribe([Utterance(samples=floats(sound))], engine, SETTING, live=at_once)
        report.holds(f"{name}: no text", not any(isinstance(result, Said) for result in results))


def echoes(report: Report, engine: FasterWhisper) -> None:
    voice = joined([*studio(), *librivox()], PAUSE, lead=1.0).samples
    for decibels, delay in ECHOES:
        heard = echo(voice, decibels, delay)
        for line, samples in (("", heard), (", 8 kHz", telephone(heard))):
            found = spans_of(samples)
            written = passages(listen(engine, SETTING, found, cut_of(samples), [cut_of(voice)]))
            report.holds(
                f"echo of {decibels:.0f} dB after {delay * 1000:.0f} ms{line}: {len(found)} utterances, "
                f"{len(written)} with text",
                not written,
            )


@dataclass(frozen=True)
class Used:
    """By a process and its children: seconds of processors, and what it wrote."""

    seconds: float
    text: str
    megabytes: float = 0.0
    """At the most, where it tells."""


def run(*command: str | Path) -> Used:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {output.read()}")
        return Used(used.ru_utime + used.ru_stime, output.read())


def ours_alone(model: str, track: Path) -> Used:
    used = run(sys.executable, "-m", "bench.scribe", model, track)
    return Used(used.seconds, **json.loads(used.text))


def cli_alone(model: str, track: Path) -> Used:
    used = run(
        *(CLI, "--model_directory", model, "--local_files_only", "True", "--device", "cpu", "--compute_type", "int8"),
        *(
            "--threads",
            str(THREADS),
            "--verbose",
            "False",
            "--output_format",
            "txt",
            "--output_dir",
            track.parent,
            track,
        ),
    )
    return Used(used.seconds, track.with_suffix(".txt").read_text())


def lasting(parts: Sequence[Speech], seconds: int) -> Speech:
    """One after the other, again and again, for at most so long."""
    many = list(islice(cycle(parts), seconds))
    ends = accumulate(part.seconds + PAUSE for part in many)
    return joined([part for part, end in zip(many, ends, strict=True) if end <= seconds], PAUSE)


def one_of_three(seconds: int) -> Speech:
    """Who speaks for 20 s of each minute."""
    turn = lasting([*librivox()[:2], *studio()[:2]], 20)
    minutes = seconds // 60
    later = [sentence.later(60.0 * minute) for minute in range(minutes) for sentence in turn.sentences]
    return Speech(np.tile(mixed(60 * RATE, [(0, turn.samples)]), minutes), tuple(later))


def cost(report: Report, model: str, directory: Path) -> None:
    peer = shutil.which(CLI) is not None
    if not peer:
        report.figure(CLI, f"not installed (pip: {CLI})")
    track = directory / "track.wav"
    for name, speech in (
        ("one of three, English", one_of_three(COST_SECONDS)),
        ("one who never stops, English", lasting([*librivox(), *studio()], COST_SECONDS)),
        ("one who never stops, Mandarin", lasting([say(text) for text in MEETING], COST_SECONDS)),
    ):
        write(track, speech.samples)
        hour = 3600 / speech.seconds
        rounds = [(ours_alone(model, track), cli_alone(model, track) if peer else None) for _ in range(ROUNDS)]
        for who, runs in (("ours", [ours for ours, _ in rounds]), (CLI, [cli for _, cli in rounds if cli])):
            if runs:
                wrong = errors(speech.text, _SIMPLIFIED.convert(runs[0].text)).percent
                seconds = median(used.seconds for used in runs) * hour
                report.figure(f"an hour of {name}: {who}", f"{seconds:.0f} CPU-s, {wrong:.1f} % wrong")
        if ratios := [ours.seconds / cli.seconds for ours, cli in rounds if cli]:
            report.at_most(f"cost of {name}, to {CLI}", median(ratios), 1.1)


def memory(report: Report, model: str, directory: Path) -> None:
    track = directory / "track.wav"
    most = []
    for seconds in (SHORT_TRACK, LONG_TRACK):
        write(track, one_of_three(seconds).samples)
        used = ours_alone(model, track)
        most.append(used.megabytes)
        report.figure(f"a track of {seconds // 60} minutes", f"{used.megabytes:.0f} MB, {used.seconds:.0f} CPU-s")
    report.at_most("memory of 2 hours, to that of 10 minutes", most[1] / most[0], 1.1)


def main() -> int:
    if packages := missing():
        sys.exit(f"there is no speech to listen to: apt-get install {' '.join(packages)}")
    from faster_whisper import WhisperModel

    provide_model()
    model = str(FOLDER)
    report = Report("minutes")
    engine = FasterWhisper(model, threads=THREADS)
    quality(report, engine, WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=THREADS))
    live(report, engine)
    no_speech(report, engine)
    echoes(report, engine)
    with tempfile.TemporaryDirectory(prefix="sparkle-bench-") as directory:
        cost(report, model, Path(directory))
        memory(report, model, Path(directory))
    return report.status


if __name__ == "__main__":
    sys.exit(main())
