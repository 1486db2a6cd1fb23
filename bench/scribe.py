"""A track becomes sentences: as a worker for minutes does it, and as the bare engine does.

As a process of its own (`python -m bench.scribe MODEL TRACK.wav`) it writes what is said in one track, and how much
memory that took.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import soundfile

from apps.minutes.engines.faster_whisper import FasterWhisper
from apps.minutes.engines.protocol import Samples
from apps.minutes.pipeline.result import Setting
from tests.corpus.heard import FRAME, floats, listen, passages, spans
from tests.corpus.scores import Passage
from tests.corpus.sound import RATE, Sound

THREADS: Final = 1
"""Of each engine here: two workers of one thread do more than one with two."""


def bare(model: Any, track: Sound) -> list[Passage]:
    """faster-whisper by itself, with its own voice detector and otherwise as it comes."""
    segments, _ = model.transcribe(floats(track), vad_filter=True)
    return [Passage(segment.start, segment.text) for segment in segments]


def main(model: str, file: Path) -> None:
    """Memory must not grow with the track: it is read as a worker reads it, an utterance at a time."""
    engine = FasterWhisper(model, threads=THREADS)
    with soundfile.SoundFile(file) as track:
        found = spans(track.blocks(FRAME, dtype="int16"))

        def cut(start: int, end: int) -> Samples:
            track.seek(start * RATE // 1000)
            return floats(track.read((end - start) * RATE // 1000, dtype="int16"))

        written = passages(listen(engine, Setting(languages=("zh", "en")), found, cut))
    # The peak that wait4 tells has the parent's in it, from before the exec.
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    print(json.dumps({"megabytes": int(peak.split()[1]) / 1000, "text": " ".join(each.text for each in written)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
