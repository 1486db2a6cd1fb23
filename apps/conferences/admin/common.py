"""What the pages of plans and of conferences have in common."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.conferences.models import Participant, PlanPerson

OPTION_FIELDSETS: Any = (
    (
        _("How it runs"),
        {
            "fields": (
                ("entry_muted", "wait_for_chair", "lock_after_start"),
                ("floor_mode", "lobby"),
                "quorum_percent",
                ("max_participants", "duration_minutes"),
                "prompt_language",
            )
        },
    ),
    (
        _("Recording and minutes"),
        {"fields": (("recording_policy", "minutes_policy", "captions"), "spoken_languages", "glossary")},
    ),
    (_("Calling"), {"fields": (("ring_seconds", "attempts_per_number"), ("busy_retries", "busy_wait_seconds"))}),
    (
        _("What members and participants may do"),
        {
            "fields": (
                ("member_may_unmute_self", "participant_may_unmute_self"),
                ("member_may_invite", "member_may_whisper", "member_may_copy_plan"),
                ("member_may_replay", "participant_may_replay"),
                "member_may_correct_own_words",
                "guests_may_join",
            )
        },
    ),
)


def number_list(person: PlanPerson | Participant) -> str:
    return ", ".join(str(each.get("number", "")) for each in person.numbers)
