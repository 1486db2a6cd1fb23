"""200 utterances of a two-hour track as WAV: from the sealed file, and cut by the standard library (README.md)."""

from __future__ import annotations

import io
import sys
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.recordings.audio import SAMPLE, WAV_HEADER, wav_header
from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.header import FRAME_SIZE
from apps.recordings.sealed.reader import Reader
from bench.harness import Report, median
from bench.sealing import HOUR, KEY, SECOND, SPOOL, in_turns, make, opened, seal

UTTERANCES = 200
#: Seconds: how long people speak at a stretch.
LONGS = (1, 2, 5, 10)

Utterance = tuple[int, int]
"""From where, and how many bytes of samples."""


def cut(file: wave.Wave_read, start: int, size: int) -> bytes:
    file.setpos(start // SAMPLE)
    samples = file.readframes(size // SAMPLE)
    made = io.BytesIO()
    with wave.open(made, "wb") as target:
        target.setparams(file.getparams())
        target.writeframes(samples)
    return made.getvalue()


def cut_from(path: Path, start: int, size: int) -> bytes:
    with wave.open(str(path), "rb") as file:
        return cut(file, start, size)


def serve(reader: Reader, start: int, size: int) -> bytearray:
    made = bytearray(WAV_HEADER + size)
    made[:WAV_HEADER] = wav_header(size, reader.header.rate, reader.header.channels)
    reader.read_into(start, memoryview(made)[WAV_HEADER:])
    return made


def serve_from(path: Path, start: int, size: int) -> bytearray:
    with opened(path) as descriptor:
        return serve(Reader(OpenFile(descriptor), KEY), start, size)


def decrypt(size: int) -> Callable[[], object]:
    """What no other code in Python could leave out: AES-GCM of so many bytes, in frames, from memory to memory."""
    cipher, nonce = AESGCM(KEY), bytes(12)
    stored, plaintext = cipher.encrypt(nonce, bytes(FRAME_SIZE), None), bytearray(FRAME_SIZE)

    def work() -> None:
        for _ in range(UTTERANCES * size // FRAME_SIZE):
            cipher.decrypt_into(nonce, stored, None, plaintext)

    return work


def compare(report: Report, wav: Path, sealed: Path, seconds: int) -> list[float]:
    """Prints the figures of utterances of one length; the ratios to `wave`, each file opened for it and kept open."""
    random, size = Random(seconds), seconds * SECOND
    said = [(random.randrange(0, 2 * HOUR - size, SAMPLE), size) for _ in range(UTTERANCES)]
    with wave.open(str(wav), "rb") as file, opened(sealed) as descriptor:
        reader = Reader(OpenFile(descriptor), KEY)
        assert all(cut(file, *each) == serve(reader, *each) for each in said)

        def all_by(work: Callable[[int, int], object]) -> Callable[[], None]:
            def run() -> None:
                for each in said:
                    work(*each)

            return run

        times = in_turns(
            all_by(lambda start, size: cut_from(wav, start, size)),
            all_by(lambda start, size: serve_from(sealed, start, size)),
            all_by(lambda start, size: cut(file, start, size)),
            all_by(lambda start, size: serve(reader, start, size)),
            decrypt(size),
        )
    theirs, ours, theirs_kept, ours_kept, least = (time / UTTERANCES * 1e6 for time in times)
    report.figure(f"{seconds} s, opened for each: wave, ours", f"{theirs:.0f}, {ours:.0f} µs")
    report.figure(f"{seconds} s, kept open: wave, ours", f"{theirs_kept:.0f}, {ours_kept:.0f} µs")
    report.figure(f"{seconds} s, AES-GCM alone", f"{least:.0f} µs")
    return [theirs / ours, theirs_kept / ours_kept]


def main() -> int:
    report = Report("utterances")
    with tempfile.TemporaryDirectory(prefix="sparkle-bench-", dir=SPOOL) as directory:
        plain, wav, sealed = (Path(directory) / name for name in ("plain", "wav", "sealed"))
        make(plain, 2 * HOUR)
        with wave.open(str(wav), "wb") as target:
            target.setparams((1, SAMPLE, 16_000, 0, "NONE", ""))
            target.writeframes(plain.read_bytes())
        seal(plain, sealed)
        plain.unlink()
        ratios = [compare(report, wav, sealed, seconds) for seconds in LONGS]
    for name, found in zip(("opened for each", "kept open"), zip(*ratios, strict=True), strict=True):
        report.at_least(f"{UTTERANCES} utterances to wave, {name}", median(found), 5)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
