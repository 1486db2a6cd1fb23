"""Jobs: sealing beside each node's spool, moving what is in its folder, and what is done with sealed tracks by the
workers of the queue `media`.
"""

from __future__ import annotations

from .afterwards import align_mixes, make_missing_peaks, make_peaks
from .moving import keep_moving, keep_tidy, move_sealed, tidy
from .sealing import keep_sealing, seal

__all__ = [
    "align_mixes",
    "keep_moving",
    "keep_sealing",
    "keep_tidy",
    "make_missing_peaks",
    "make_peaks",
    "move_sealed",
    "seal",
    "tidy",
]
