from .audio import Announcement, Whisper
from .conference import Attempt, Conference, Delta, Participant
from .dial_in import AccessNumber, DialIn, PersonalPin
from .joining import BrowserJoin, GuestLink
from .options import FloorMode, MinutesPolicy, Options, RecordingPolicy, Role
from .plan import Plan, PlanPerson

__all__ = [
    "AccessNumber",
    "Announcement",
    "Attempt",
    "BrowserJoin",
    "Conference",
    "Delta",
    "DialIn",
    "FloorMode",
    "GuestLink",
    "MinutesPolicy",
    "Options",
    "Participant",
    "PersonalPin",
    "Plan",
    "PlanPerson",
    "RecordingPolicy",
    "Role",
    "Whisper",
]
