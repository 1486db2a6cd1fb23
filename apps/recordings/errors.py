"""What replay refuses. The codes are part of the API."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotAllowed, Problem, TryLater


class LinkExpired(NotAllowed):
    code = "link_expired"
    title = _("This link has expired")
    detail = _("Links to audio are good for ten minutes. Load the recording again.")


class LinkOfAnother(NotAllowed):
    code = "link_of_another"
    title = _("This link was made for somebody else")
    detail = _("Open the recording yourself: whoever may hear it gets links of their own.")


class NothingRecorded(Problem):
    code = "nothing_recorded"
    title = _("There is nothing to hear here")
    detail = _("What was said last takes a few seconds until it can be heard.")


class NotOfOneKind(Problem):
    code = "not_of_one_kind"
    title = _("These tracks cannot be one file")
    detail = _("They were recorded at different rates. Hear them one by one.")


class NothingToSayAgain(Problem):
    code = "nothing_to_say_again"
    title = _("There is nothing to say again")
    detail = _("Nothing that somebody else said where you are was recorded yet.")


class NotInRoom(Problem):
    code = "not_in_room"
    title = _("You are not in the conference")
    detail = _("What was said last is played into your call: join first.")


class StillRecorded(Problem):
    code = "still_recorded"
    title = _("This is still being recorded")
    detail = _("How loud it is can be drawn once it has ended.")


class StillMixed(TryLater):
    status = 503
    code = "still_mixed"
    title = _("The main room is being mixed anew")
    detail = _("Somebody's voice was erased from it. In a moment it can be heard again.")

    def __init__(self, retry_after: int = 10) -> None:
        super().__init__(retry_after)


class OnLegalHold(Problem):
    code = "on_legal_hold"
    title = _("This recording is on legal hold")
    detail = _("Nothing of it may be erased until an administrator lifts the hold.")


class RecordingErased(Problem):
    status = 410
    code = "recording_erased"
    title = _("This recording was erased")
    detail = _("Nobody can hear it any more.")


class RecordingDamaged(Problem):
    status = 500
    code = "recording_damaged"
    title = _("This recording is damaged")
    detail = _("It was changed or lost where it is kept, so nothing of it is played. Tell your administrator.")


class RecordingKeyMissing(Problem):
    status = 503
    code = "recording_key_missing"
    title = _("The key of this recording is not here")
    detail = _("An administrator has to put the key-encryption key that it was recorded with back into place.")


class RecordingOnItsNode(Problem):
    status = 503
    code = "recording_on_its_node"
    title = _("This recording is still on the machine that it was made on")
    detail = _("It can be heard here once it was moved to the storage of all recordings. Try again later.")


class Away(TryLater):
    """Whoever has what a recording is opened with does not answer. It says nothing of the recording."""

    status = 503
    code = "recording_away"
    detail = _("Nothing is lost. Try again in a moment; if it stays so, tell your administrator.")

    def __init__(self, retry_after: int = 10) -> None:
        super().__init__(retry_after)


class RecordingKeysAway(Away):
    code = "recording_keys_away"
    title = _("The keys of recordings are not reachable")


class StorageAway(Away):
    code = "storage_away"
    title = _("The storage of recordings is not reachable")


OUT_OF_REACH = (Away, RecordingOnItsNode)
"""These say nothing of the recording: it may be heard later, or on another machine."""


class RangeNotSatisfiable(Problem):
    """`length` is that of the whole, in bytes."""

    status = 416
    code = "range_not_satisfiable"
    title = _("There are no such bytes")
    detail = _("Ask for a range that begins before the end: Content-Range says how long the whole is.")

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(length=length)
