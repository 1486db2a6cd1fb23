"""What recordings take, unit by unit."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from .audio import SAMPLE
from .retention import TERMS
from .sealed.frames import OVERHEAD
from .sealed.header import FRAME_SIZE, HEADER_SIZE

SOON: Final = timedelta(days=30)

#: Of a sealed file (sealed/frames.py, Layout). One that is whole has a last frame, perhaps of no samples.
_SIZE: Final = (
    f"{HEADER_SIZE} + coalesce(length, frames * {FRAME_SIZE}::bigint)"
    f" + (frames + (length IS NOT NULL)::int) * {OVERHEAD}::bigint"
)
_SECONDS: Final = f"coalesce(length, frames * {FRAME_SIZE}::bigint)::float / (rate * channels * {SAMPLE})"
_USE: Final = f"""
WITH RECURSIVE {TERMS},
recorded(conference_id, seconds, size) AS (
    SELECT conference_id, sum({_SECONDS}), sum({_SIZE}) FROM recordings_track
     WHERE state IN ('live', 'sealed', 'damaged') AND (frames > 0 OR length IS NOT NULL)
     GROUP BY conference_id
)
SELECT terms.unit_id, units.path, units.recordings_kept, count(*), coalesce(sum(seconds), 0), coalesce(sum(size), 0),
       coalesce(sum(size) FILTER (WHERE held), 0),
       coalesce(sum(size) FILTER (WHERE NOT held AND kept_until < %(soon)s), 0)
  FROM recorded JOIN terms USING (conference_id) LEFT JOIN units USING (unit_id)
 GROUP BY GROUPING SETS ((terms.unit_id, units.path, units.recordings_kept), ())
 ORDER BY grouping(terms.unit_id), 6 DESC, 2
"""  # noqa: S608 - names of ours


class Use(NamedTuple):
    """What was recorded in conferences of one unit's people. `size` in bytes of the sealed files, without the peaks
    beside them (less than a thousandth): `held` of them are on legal hold, `going` are erased within SOON. `unit` is
    None for owners without one, and for all together.
    """

    unit: UUID | None
    path: str | None
    kept: int | None
    conferences: int
    seconds: float
    size: int
    held: int
    going: int

    @property
    def hours(self) -> float:
        return self.seconds / 3600


def storage_use() -> tuple[list[Use], Use]:
    """Those units of whose conferences anything is there, the largest first; and all together. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_USE, {"soon": timezone.now() + SOON})
        *units, total = (Use(*row) for row in cursor.fetchall())
    return units, total
