from .audio import Announcement, Whisper
from .conference import Attempt, Conference, Delta, Participant
from .joining import BrowserJoin, GuestLink
from .options import FloorMode, MinutesPolicy, Options, RecordingPolicy, Role
from .plan import Plan, PlanPerson

__all__ = [
    "Announcement",
    "Attempt",
    "BrowserJoin",
    "Conference",
    "Delta",
    "FloorMode",
    "GuestLink",
    "MinutesPolicy",
    "Options",
    "Participant",
    "Plan",
    "PlanPerson",
    "RecordingPolicy",
    "Role",
    "Whisper",
]
