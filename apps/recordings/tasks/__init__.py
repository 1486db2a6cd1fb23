"""Jobs: sealing beside each node's spool, moving what is in its folder, what is done with sealed tracks by the workers
of the queue `media`, and erasing what was kept for its time.
"""

from __future__ import annotations

from .afterwards import align_mixes, make_missing_peaks, make_peaks
from .erasing import keep_mixing, mix_main_rooms
from .moving import keep_moving, keep_tidy, move_sealed, tidy
from .retention import erase_expired
from .sealing import keep_sealing, seal, watch_sealers

__all__ = [
    "align_mixes",
    "erase_expired",
    "keep_mixing",
    "keep_moving",
    "keep_sealing",
    "keep_tidy",
    "make_missing_peaks",
    "make_peaks",
    "mix_main_rooms",
    "move_sealed",
    "seal",
    "tidy",
    "watch_sealers",
]
