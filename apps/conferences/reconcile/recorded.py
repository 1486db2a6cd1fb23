"""What the switch, and the rows after a start, tell of recordings."""

from __future__ import annotations

from uuid import UUID

from apps.conferences.reconcile.observed import LegPhase, Observed
from apps.conferences.reconcile.tracks import ObservedTrack
from apps.conferences.reconcile.transitions import Changes
from apps.switch.events import MixEnded, MixStarted, TrackEnded, TrackStarted


def restore_track(observed: Observed, track: ObservedTrack, now: float) -> Changes:
    """Take in a stored track after a start, once the stored attempts are: what was recorded of a leg that is over, is
    over too.
    """
    changes = Changes()
    observed.tracks.add(track)
    leg = observed.legs.get(track.subject)
    if track.kind != "mix" and (leg is None or leg.phase is LegPhase.ENDED):
        changes.tracks |= observed.tracks.end_all(track.subject, leg.ended_at or now if leg is not None else now)
    return changes


def give_up(observed: Observed, track: UUID, now: float) -> Changes:
    """End a track of whose end the switch did not tell (`Decision.over`). If it grows all the same, it is sealed so."""
    changes = Changes()
    known = observed.tracks.known.get(track)
    if known is not None and observed.tracks.end(known, now):
        changes.tracks.add(track)
    return changes


def track_started(observed: Observed, event: TrackStarted, changes: Changes) -> None:
    track = observed.tracks.at(event.path)
    if track is not None and track.started_at is None:
        track.started_at, track.channels = event.at, max(1, event.channels)
        changes.tracks.add(track.id)


def mix_started(observed: Observed, event: MixStarted, changes: Changes) -> None:
    track = observed.tracks.at(event.path)
    if track is None or track.started_at is not None or not track.open:
        return
    if event.error:
        track.ended_at = event.at
    else:
        track.started_at = event.at
    changes.tracks.add(track.id)


def track_ended(observed: Observed, event: TrackEnded | MixEnded, changes: Changes) -> None:
    track = observed.tracks.at(event.path)
    if track is not None and observed.tracks.end(track, event.at):
        changes.tracks.add(track.id)
