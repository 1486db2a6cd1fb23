from .audio import Announcement, Whisper
from .conference import Attempt, Conference, Delta, Participant
from .options import FloorMode, MinutesPolicy, Options, RecordingPolicy, Role
from .plan import Plan, PlanPerson

__all__ = [
    "Announcement",
    "Attempt",
    "Conference",
    "Delta",
    "FloorMode",
    "MinutesPolicy",
    "Options",
    "Participant",
    "Plan",
    "PlanPerson",
    "RecordingPolicy",
    "Role",
    "Whisper",
]
