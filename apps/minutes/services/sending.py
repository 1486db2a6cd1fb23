"""Sending minutes by mail to those who attended. What is written here is rows; delivering.py sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.conferences.access import Action
from apps.conferences.actors import Actor, actors_in_conference
from apps.conferences.models import Participant
from apps.core import audit
from apps.minutes.attendance import attendees_of
from apps.minutes.errors import MinutesNotSigned, NoMailServer
from apps.minutes.exporting import version_of
from apps.minutes.models import Delivery, Mailing, Minutes
from apps.recordings.selectors import whispers_of


@dataclass(frozen=True, slots=True)
class Skipped:
    """Somebody who gets nothing. `reason`: no_login, not_active, no_address, may_not_read."""

    name: str
    reason: str


@transaction.atomic
def send(
    *,
    by: audit.By,
    actor: Actor,
    minutes: Minutes,
    site: str,
    number: int | None = None,
    draft: bool = False,
    subject: str = "",
    message: str = "",
) -> tuple[int, list[Skipped]]:
    """To how many it goes out soon, and to whom not. A version that was signed; without one only a `draft`, which the
    caller has to call so. Raises NoMailServer, MinutesNotSigned, NoSuchVersion, and what says why they may not.
    """
    actor.require(Action.EXPORT)
    if not settings.SPARKLE_EMAIL_URL:
        raise NoMailServer
    version = version_of(minutes, number)
    if version is None and not draft:
        raise MinutesNotSigned(_("Sign them first, name a version, or say that this is a draft."))
    recipients, skipped = _recipients(minutes)
    mailing = Mailing.objects.create(
        minutes=minutes,
        version=version,
        subject=subject,
        message=message,
        site=site,
        at=timezone.now(),
        by=actor.login,
        by_name=actor.user.display_name[:64],
    )
    Delivery.objects.bulk_create(Delivery(mailing=mailing, user=user, changed_at=mailing.at) for user in recipients)
    audit.record(
        by=by,
        action="minutes_send",
        on=minutes,
        conference_id=minutes.conference_id if minutes.whisper_id is None else None,
        detail={"to": [user.display_name for user in recipients], "version": version.number if version else None},
    )
    return len(recipients), skipped


def may_read(minutes: Minutes, users: list[User]) -> set[UUID]:
    """Those of them who may read these minutes now."""
    return {
        actor.user.pk
        for actor in actors_in_conference(minutes.conference, users)
        if actor.may(Action.READ_MINUTES)
        and (minutes.whisper_id is None or whispers_of(actor).filter(pk=minutes.whisper_id).exists())
    }


def _recipients(minutes: Minutes) -> tuple[list[User], list[Skipped]]:
    attending = [each.participant for each in attendees_of(minutes)]
    people = Participant.objects.select_related("user").in_bulk(attending)
    users = [person.user for person in people.values() if person.user]
    readers = may_read(minutes, users)
    found, skipped = [], []
    for person in (people[key] for key in attending):
        reason = next(_reasons(person.user, readers), "")
        if person.user and not reason:
            found.append(person.user)
        else:
            skipped.append(Skipped(person.name, reason))
    return found, skipped


def _reasons(user: User | None, readers: set[UUID]) -> Iterator[str]:
    if user is None:
        yield "no_login"
        return
    if not user.is_active:
        yield "not_active"
    if user.pk not in readers:
        yield "may_not_read"
    if not user.email:
        yield "no_address"
