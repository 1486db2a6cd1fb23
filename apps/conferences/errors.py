"""What plans and conferences refuse. The codes are part of the API."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.conferences.access import Decision
from apps.core.errors import NotAllowed, Problem


class EqualOrHigherRole(NotAllowed):
    code = "equal_or_higher_role"
    detail = _("Nobody acts on a person of an equal or higher role.")


class SwitchedOff(NotAllowed):
    code = "switched_off"
    detail = _("The plan or the organisation has switched this off for your role.")


class GuestsNotAllowed(NotAllowed):
    code = "guests_not_allowed"
    title = _("Guests may not join this conference")
    detail = _("Ask whoever sent you the link to let you be called.")


class WrongPin(Problem):
    status = 403
    code = "wrong_pin"
    title = _("The PIN is wrong")
    detail = _("This PIN does not belong to the link. Ask whoever sent you the link.")


class MayNotCreate(NotAllowed):
    code = "may_not_create"
    detail = _("Your organisation does not let you create plans or conferences.")


class RecordingOff(Problem):
    code = "recording_off"
    title = _("This conference is not to be recorded")
    detail = _("Its plan says that it is never recorded.")


class RevisionOutdated(Problem):
    code = "revision_outdated"
    title = _("Somebody else has changed this plan")
    detail = _("Load the plan again, repeat your changes and send its present revision.")


class PlanIsRunning(Problem):
    code = "plan_is_running"
    title = _("A conference of this plan is running")
    detail = _("End the conference first, or go to it: its id is in conference.")


class NoNode(Problem):
    status = 503
    code = "no_node"
    title = _("No switch takes conferences now")
    detail = _("An administrator has to enable a node; then launch again.")


class ConferenceEnded(Problem):
    code = "conference_ended"
    title = _("The conference has ended")
    detail = _("Launch a new one.")


class ConferenceLocked(Problem):
    code = "conference_locked"
    title = _("The conference is locked")
    detail = _("The chair can unlock it, or invite the person.")


class TooManyParticipants(Problem):
    code = "too_many_participants"
    title = _("The conference is full")
    detail = _("Its maximum size is reached.")


class TooLong(Problem):
    code = "too_long"
    title = _("The conference would last too long")
    detail = _("It may end at most 24 hours from now.")


class SpeechForbidden(Problem):
    code = "speech_forbidden"
    title = _("This person is forbidden to speak")
    detail = _("The chair has to allow speaking first.")


class FloorModerated(Problem):
    code = "floor_moderated"
    title = _("The floor is moderated")
    detail = _("Raise your hand: the chair gives the floor.")


class FloorRollCall(Problem):
    code = "floor_roll_call"
    title = _("There is a roll call")
    detail = _("Only the person called may speak.")


class NotRollCall(Problem):
    code = "not_roll_call"
    title = _("There is no roll call")
    detail = _("Set the floor mode to roll_call first.")


class NotModerated(Problem):
    code = "not_moderated"
    title = _("The floor is not moderated")
    detail = _("Set the floor mode to moderated first.")


class AlreadyPresent(Problem):
    code = "already_present"
    title = _("This person is in the conference already")
    detail = _("Nothing needs to be done; to end the call, remove the person.")


class RefusedReentry(Problem):
    code = "refused_reentry"
    title = _("This person was removed and may not come back")
    detail = _("The chair can invite the person again, which lifts this.")


class NotAdmitted(NotAllowed):
    code = "not_admitted"
    detail = _("Wait until somebody in charge of the conference lets you in.")


class InLobby(Problem):
    code = "in_lobby"
    title = _("This person waits in the lobby")
    detail = _("Admit the person first.")


class NotWaiting(Problem):
    code = "not_waiting"
    title = _("This person does not wait in the lobby")
    detail = _("To take somebody out of the conference, remove the person.")


class NotWanted(Problem):
    code = "not_wanted"
    title = _("This person is not called to the conference")
    detail = _("Re-dial the person first.")


class InAnotherWhisper(Problem):
    code = "in_another_whisper"
    title = _("This person is in another whisper")
    detail = _("The person has to leave that whisper first.")


class WhisperClosed(Problem):
    code = "whisper_closed"
    title = _("The whisper is closed")
    detail = _("Open a new one.")


def refusal(decision: Decision) -> Problem:
    """The problem that a decision against somebody stands for."""
    return Problem.registry[decision.code]()


def require(decision: Decision) -> None:
    """Raises what the decision stands for, unless it allows."""
    if not decision:
        raise refusal(decision)
