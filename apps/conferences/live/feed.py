"""The order of what happened in one conference, as one process knows it, and the frames cut from it. No input or
output here.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from uuid import UUID

from apps.core.websocket import SharedText

from .views import Changes, View, merge, restrict

#: So many deltas are kept for viewers who are a little behind; who is further behind gets a snapshot.
RECENT = 500


class Feed:
    """What is known of one conference without a gap up to number `seq`.

    Deltas may be offered in any order and more than once. What lies beyond a gap waits until the gap is filled.
    """

    def __init__(self, conference_id: UUID, seq: int) -> None:
        self.conference_id = conference_id
        self.seq = seq
        self._recent: deque[tuple[int, Changes]] = deque(maxlen=RECENT)
        self._waiting: dict[int, Changes] = {}
        self._frames: dict[tuple[View, int], SharedText] = {}

    @property
    def has_gap(self) -> bool:
        return bool(self._waiting)

    def offer(self, seq: int, changes: Changes) -> list[Changes]:
        """Take one delta in; those that are in order now."""
        if seq > self.seq:
            self._waiting[seq] = changes
        return self._advance()

    def fill(self, seq: int, rows: Mapping[int, Changes]) -> list[Changes] | None:
        """Take in what the database has up to number `seq`; a number without a row changed nothing visible.

        Those that are in order now; None when there are more than this keeps, and everybody needs a snapshot.
        """
        if seq - self.seq > RECENT:
            self.reset(seq)
            return None
        for number in range(self.seq + 1, seq + 1):
            self._waiting[number] = rows.get(number, {})
        return self._advance()

    def reset(self, seq: int) -> None:
        """Begin anew at `seq`."""
        self.seq = seq
        self._recent.clear()
        self._waiting.clear()
        self._frames.clear()

    def concerns(self, participant: UUID | None, since: int) -> bool:
        """Whether anything after `since` may be news to this participant who sees only themself and the conference."""
        if not self._recent or self._recent[0][0] > since + 1:
            return True
        own = str(participant)
        later = [changes for seq, changes in self._recent if seq > since]
        return any("conference" in changes or own in changes.get("participants", {}) for changes in later)

    def frame(self, view: View, since: int) -> SharedText | None:
        """One frame that leads from `since` to `seq`, built once for all who need it; None when that lies too far
        back.
        """
        text = self._frames.get((view, since))
        if text is None:
            if not self._recent or self._recent[0][0] > since + 1:
                return None
            changes: Changes = {}
            for seq, later in self._recent:
                if seq > since:
                    changes = merge(changes, later)
            document = {"type": "delta", "from": since, "seq": self.seq, "changes": restrict(changes, view)}
            text = SharedText(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
            self._frames[view, since] = text
        return text

    def _advance(self) -> list[Changes]:
        ready = []
        for number in [number for number in self._waiting if number <= self.seq]:
            del self._waiting[number]
        while (changes := self._waiting.pop(self.seq + 1, None)) is not None:
            self.seq += 1
            self._recent.append((self.seq, changes))
            ready.append(changes)
        if ready:
            self._frames.clear()
        return ready
