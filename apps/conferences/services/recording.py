"""Recording a running conference: begun by its plan or by a person, and told to everybody in it."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.conferences.access import Action
from apps.conferences.errors import RecordingOff
from apps.conferences.live.changes import Change
from apps.conferences.models import Announcement, Conference, RecordingPolicy
from apps.switch.prompts import sound

from .acting import Act, Answer, nothing_to_report

#: The prompt that says so (freeswitch/prompts).
PROMPTS = {
    Conference.Recording.ON: "recording",
    Conference.Recording.PAUSED: "recording-paused",
    Conference.Recording.OFF: "recording-over",
}


def record(act: Act) -> Answer:
    """Record, pause or end it. A pause leaves a gap: nothing that is said meanwhile is kept anywhere."""
    act.actor.require(Action.RECORD)
    state = Conference.Recording(act.body["state"])
    conference = act.conference
    if conference.recording_policy == RecordingPolicy.OFF:
        raise RecordingOff
    if state == Conference.Recording.PAUSED and conference.recording == Conference.Recording.OFF:
        state = Conference.Recording.OFF
    act.change.detail["state"] = state.value
    _set(act.change, state)
    return nothing_to_report()


def begin(change: Change) -> None:
    """The conference starts: record it, if its plan says so."""
    if change.conference.recording_policy == RecordingPolicy.AUTOMATIC:
        _set(change, Conference.Recording.ON)


def _set(change: Change, state: Conference.Recording) -> None:
    if change.set(change.conference, recording=state.value):
        change.set(change.conference, recording_since=timezone.now())
        change.create(_announcement(change.conference, state))


def _announcement(conference: Conference, state: Conference.Recording) -> Announcement:
    """To everybody who is in; who comes later is told when they come (reconcile/recording.py)."""
    language = conference.prompt_language
    with override(language):
        text = {
            Conference.Recording.ON: _("This conference is being recorded."),
            Conference.Recording.PAUSED: _("The recording is paused."),
            Conference.Recording.OFF: _("The recording has ended."),
        }[state]
    return Announcement(conference=conference, text=text, language=language, path=sound(language, PROMPTS[state]))
