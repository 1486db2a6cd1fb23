"""Plans and conferences in the administration: plans are edited, conferences only looked at."""

from . import arrivals, conferences, history, plans

__all__ = ["arrivals", "conferences", "history", "plans"]
