"""The sound of an utterance as engines take it, and what the others' microphones had meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
from django.db.models import Q

from apps.core.errors import Problem
from apps.minutes.engines.protocol import RATE, Samples
from apps.minutes.models import Transcript
from apps.recordings.audio import SAMPLE
from apps.recordings.models import Track
from apps.recordings.replay import open_clip

from .reach import Reach

AROUND: Final = 200
"""Milliseconds before and after an utterance that engines get with it."""


def samples_of(track: Track, start: int, end: int) -> Samples:
    """Between these milliseconds of the track. Raises what replay raises."""
    clip = open_clip(track, max(0, start), end)
    data = b"".join(bytes(piece) for piece in clip.pieces())
    data = data[: len(data) // (SAMPLE * clip.channels) * SAMPLE * clip.channels]
    samples: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
    if clip.channels > 1:
        samples = samples.reshape(-1, clip.channels).mean(axis=1, dtype=np.float32).astype(np.float32)
    return samples if clip.rate == RATE else _resampled(samples, clip.rate)


def _resampled(samples: Samples, rate: int) -> Samples:
    """By the spectrum: what is above half of the lower rate is left out."""
    count = len(samples) * RATE // rate
    if not count:
        return np.zeros(0, np.float32)
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, spectrum.dtype)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    return (np.fft.irfft(kept, count) * (count / len(samples))).astype(np.float32)


def others_of(transcript: Transcript, start: int, lasts: int, reach: Reach) -> list[Samples]:
    """What the other tracks of the same room have beside `lasts` milliseconds of an utterance's, from `start` in its
    track on; those that are silent there, or cannot be heard, are left out.
    """
    track = transcript.track
    begins = transcript.starts_at + timedelta(milliseconds=start - transcript.start)
    beside = Track.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=begins),
        conference=track.conference_id,
        whisper=track.whisper_id,
        kind=track.kind,
        state__in=(Track.State.LIVE, Track.State.SEALED),
        started_at__lt=begins + timedelta(milliseconds=lasts),
    )
    found = []
    for other in beside.exclude(pk=track.pk).exclude(participant=track.participant_id).select_related("node"):
        began = other.begins_at
        if began is None or not reach.has(other):
            continue
        start = round((begins - began) / timedelta(milliseconds=1))
        try:
            with reach.asked(other):
                samples = samples_of(other, start, start + lasts)
        except Problem:
            continue
        if samples.any():
            # What is before its beginning was silence.
            found.append(np.concatenate([np.zeros(max(0, -start) * RATE // 1000, np.float32), samples]))
    return found
