"""Jobs: sealing beside each node's spool, and what is done with sealed tracks by the workers of the queue `media`."""

from __future__ import annotations

from .afterwards import align_mixes, make_missing_peaks, make_peaks
from .sealing import keep_sealing, seal

__all__ = ["align_mixes", "keep_sealing", "make_missing_peaks", "make_peaks", "seal"]
