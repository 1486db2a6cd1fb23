"""Guests: the link and the PIN that let people without a login in, and coming in by them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from math import ceil

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.policy import policy_of
from apps.conferences.access import Action, Role, Switch
from apps.conferences.actors import Caller, Guest, actors_in_conference, switches_of
from apps.conferences.errors import ConferenceEnded, GuestsNotAllowed, TooManyParticipants, WrongPin
from apps.conferences.live.changes import change
from apps.conferences.models import Conference, GuestLink, Participant
from apps.core import audit
from apps.core.brake import Brake
from apps.core.errors import NotFound, RateLimited

from .acting import Act, Answer, nothing_to_report
from .joining import new_participant, require_may_enter

#: Wrong PINs after which no more are heard for a while: from one address, at one link.
ADDRESS_FAILURES, ADDRESS_WINDOW = 10, 300
LINK_FAILURES, LINK_WINDOW = 20, timedelta(hours=1)


def guest_link(act: Act) -> Answer:
    """A new link with a new PIN; one that there was before leads nowhere any more."""
    act.actor.require(Action.GUEST_LINK)
    token = secrets.token_urlsafe(24)
    fresh = {"token_hash": token_hash(token), "token": token, "pin": f"{secrets.randbelow(10**6):06}"}
    GuestLink.objects.update_or_create(
        conference=act.conference, defaults={**fresh, "failures": 0, "failing_since": None}
    )
    act.change.set(act.conference, guest_link_at=timezone.now())
    return nothing_to_report()


def guest_link_off(act: Act) -> Answer:
    act.actor.require(Action.GUEST_LINK_OFF)
    GuestLink.objects.filter(conference=act.conference).delete()
    act.change.set(act.conference, guest_link_at=None)
    return nothing_to_report()


def conference_of_link(token: str) -> Conference:
    """Where a link leads. Raises NotFound, ConferenceEnded and GuestsNotAllowed."""
    return _link(token).conference


def enter(
    *, token: str, name: str, pin: str, caller: Caller | None, address: str
) -> tuple[Conference, Participant | None]:
    """Come in by the link: a guest (`caller` None) under this name, somebody who is signed in as themself. Who has a
    part in the conference keeps it. Returns the guest, if it is one.

    A personal PIN will name the person and give the role; so far the link has one PIN, for guests, who are plain
    participants. Raises what `conference_of_link` does, WrongPin, RateLimited, and what `require_may_enter` does.
    """
    conference = _check_pin(token, pin, address)
    user = caller if isinstance(caller, User) else None
    if user is not None and actors_in_conference(conference, [user]):
        return conference, None
    if isinstance(caller, Guest) and (there := conference.participants.filter(pk=caller.pk).first()):
        require_may_enter(conference, Role.of(there.role), there)
        return conference, there
    participant = new_participant(
        conference, name=user.display_name if user else name, role=Role.PARTICIPANT.label, user=user, guest=not user
    )
    by = audit.By(user or Guest(participant.pk, conference.pk, name), address)
    with change(conference.pk, by=by, action="guest_enter") as c:
        require_may_enter(c.conference, Role.PARTICIPANT, None)
        if c.conference.participants.filter(guest=True).count() >= c.conference.max_participants:
            raise TooManyParticipants
        c.create(participant)
        c.detail["participants"] = [participant.name]
    return conference, participant if participant.guest else None


def _link(token: str, *, lock: bool = False) -> GuestLink:
    """Raises NotFound, ConferenceEnded and GuestsNotAllowed."""
    links = GuestLink.objects.select_related("conference__owner")
    if lock:
        links = links.select_for_update(of=("self",))
    link = links.filter(token_hash=token_hash(token)).first()
    if link is None:
        raise NotFound
    if link.conference.phase == Conference.Phase.ENDED:
        raise ConferenceEnded
    if Switch.GUESTS_MAY_JOIN not in switches_of(link.conference, policy_of(link.conference.owner.unit_id)):
        raise GuestsNotAllowed
    return link


def _check_pin(token: str, pin: str, address: str) -> Conference:
    """The conference, to who knows the PIN. A failure is counted for good, and audited."""
    brake = Brake("guest-pin", address, ADDRESS_FAILURES, ADDRESS_WINDOW)
    if brake.holds:
        raise RateLimited(ADDRESS_WINDOW)
    now = timezone.now()
    with transaction.atomic():
        link = _link(token, lock=True)
        if link.failing_since is None or link.failing_since + LINK_WINDOW <= now:
            link.failures, link.failing_since = 0, now
        if link.failures >= LINK_FAILURES:
            raise RateLimited(ceil((link.failing_since + LINK_WINDOW - now).total_seconds()))
        right = secrets.compare_digest(link.pin.encode(), pin.encode())
        if not right:
            link.failures += 1
            link.save(update_fields=["failures", "failing_since"])
            audit.record(
                by=audit.By(address=address),
                action="guest_pin_failed",
                on=link.conference,
                conference_id=link.conference_id,
            )
    if not right:
        brake.failed()
        raise WrongPin
    return link.conference


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
