"""Joining from a browser: a short-lived SIP account, with which one participant may call their conference and nothing
else. Who calls with it is put straight into their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.conferences.access import Action, Role, may
from apps.conferences.actors import Actor, Caller
from apps.conferences.errors import (
    ConferenceEnded,
    ConferenceLocked,
    NotWanted,
    RefusedReentry,
    TooManyParticipants,
)
from apps.conferences.live.changes import Which, change, lock
from apps.conferences.models import Attempt, BrowserJoin, Conference, Participant
from apps.conferences.selectors import actor_for
from apps.core import audit
from apps.core.errors import NotFound
from apps.core.sql import Select, instances, with_more
from apps.switch.accounts import BROWSER_IS_GOOD, is_browser, make_browser_account
from apps.switch.models import BrowserAccount

from .admission import is_for
from .people import enters_muted

#: How long an account lasts at most, and beyond the time at which the conference is to end.
LASTS = timedelta(hours=12)
GRACE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Joining:
    """What a browser needs to call. The password is told now and never again."""

    conference: Conference
    participant: Participant
    account: BrowserAccount
    password: str


def join(*, by: audit.By, user: Caller, conference_id: UUID, session_key: str = "", resume: bool = False) -> Joining:
    """Make an account for the caller's part in a conference; earlier ones for it are void. Owner and managers who are
    no participants become that, in their role.

    `resume`: to go on with a call that broke, which is refused (NotWanted) to somebody who was removed meanwhile.
    Raises NotFound, and what `require_may_enter` does.
    """
    with transaction.atomic():
        conference = lock(conference_id)
        actor = actor_for(user, Conference, conference_id)
        actor.require(Action.JOIN)
        participant = Participant.objects.get(pk=actor.participant) if actor.participant else None
        require_may_enter(conference, actor.role, participant, resume=resume)
        if resume and (participant is None or not participant.present):
            raise NotWanted
        if participant is None:
            participant = _attend(by, actor, conference)
        now = timezone.now()
        BrowserAccount.objects.filter(join__participant=participant, revoked_at=None).update(revoked_at=now)
        account, password = make_browser_account(min(now + LASTS, conference.ends_at + GRACE))
        BrowserJoin.objects.create(account=account, participant=participant, session_key=session_key)
        audit.record(
            by=by,
            action="join",
            on=conference,
            conference_id=conference_id,
            detail={"participants": [participant.name]},
        )
    return Joining(conference, participant, account, password)


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody's coming in depends on, besides their own row. `was_in`: they were in in this round, and are still
    wanted; whoever was removed is called in a new one. `wanted`: how many are, where they are not.
    """

    was_in: bool
    wanted: int


_HOW_MANY = f"SELECT count(*) FROM {Participant._meta.db_table} o WHERE o.present AND o.conference_id ="  # noqa: S608 - as above
#: SQL of it, for a participant's row `t`; what is of no use is not counted.
_STANDING = {
    "was_in": f"t.present AND EXISTS (SELECT FROM {Attempt._meta.db_table} a"
    " WHERE a.participant_id = t.id AND a.round = t.round AND a.joined_at IS NOT NULL)",
    "wanted": f"CASE WHEN t.present THEN 0 ELSE ({_HOW_MANY} t.conference_id) END",
}
#: The same for whoever is on no roster yet, `t` being the conference's row.
_OF_A_STRANGER = {"was_in": "false", "wanted": f"({_HOW_MANY} t.id)"}


def require_may_enter(
    conference: Conference,
    role: Role,
    participant: Participant | None,
    *,
    resume: bool = False,
    standing: Standing | None = None,
) -> None:
    """Whether somebody may come in by themself, whichever way; None: who is on the roster not yet. `standing`, where it
    has been read already.

    Raises ConferenceEnded, RefusedReentry, ConferenceLocked and TooManyParticipants. Who is in already, comes back in;
    with `resume`, also who was in and was not removed: a lock is for those who come anew, not for those whose line
    broke, or whose switch did.
    """
    if conference.phase == Conference.Phase.ENDED:
        raise ConferenceEnded
    if participant is not None and participant.refused:
        raise RefusedReentry
    wanted = participant is not None and participant.present
    if participant is not None and wanted and participant.state == Participant.State.CONNECTED:
        return
    standing = standing or _standing(participant or conference)
    if resume and standing.was_in:
        return
    if conference.locked and not may(role, Action.UNLOCK, frozenset()):
        raise ConferenceLocked
    if not wanted and standing.wanted >= conference.max_participants:
        raise TooManyParticipants


def _standing(of: Participant | Conference) -> Standing:
    columns = _STANDING if isinstance(of, Participant) else _OF_A_STRANGER
    found = Select(of._meta.db_table, columns, "t.id = %(id)s", {"id": of.pk}).first()
    return Standing(found.was_in, found.wanted)


#: SQL of what a browser's account, if it may be used, is for.
_FOR = (
    f"FROM {BrowserJoin._meta.db_table} j JOIN {Participant._meta.db_table} p ON p.id = j.participant_id"
    f" JOIN {BrowserAccount._meta.db_table} t ON t.name = j.account_id"
    f" WHERE t.name = %(account)s AND {BROWSER_IS_GOOD}"
)
_CONFERENCE = f"t.id = (SELECT p.conference_id {_FOR})"
_PARTICIPANT = f"t.id = (SELECT p.id {_FOR})"


def conference_of_account(name: str) -> Which:
    """The conference into which a call with this browser account leads; none once the account is over. Raises NotFound
    for a name that no browser has.
    """
    if not is_browser(name):
        raise NotFound
    return Which(_CONFERENCE, {"account": name, "now": timezone.now()})


def participant_of_account(name: str) -> tuple[Participant, Standing]:
    """Whom a call with this browser account is for. Raises NotFound once it, or the session it belongs to, is over.

    Whether they may come in now is for `require_may_enter` to say.
    """
    found = with_more(Participant, _STANDING, _PARTICIPANT, {"account": name, "now": timezone.now()})
    if not found or not _is_alive(found[0][0], name):
        raise NotFound
    participant, standing = found[0]
    return participant, Standing(**standing)


def new_participant(conference: Conference, *, name: str, role: str, user: User | None, guest: bool) -> Participant:
    """Somebody who comes by themself, last on the roster, to be created. Nobody is to call them: they are wanted from
    the moment in which they call.
    """
    last = conference.participants.aggregate(last=Max("position"))["last"]
    participant = Participant(
        conference=conference,
        name=name,
        role=role,
        user=user,
        guest=guest,
        position=0 if last is None else last + 1,
        present=False,
        state=Participant.State.PLANNED,
        muted=enters_muted(conference, role),
    )
    participant.admitted = not is_for(conference, participant)
    return participant


def _attend(by: audit.By, actor: Actor, conference: Conference) -> Participant:
    name = actor.user.display_name
    participant = new_participant(conference, name=name, role=actor.role.label, user=actor.login, guest=False)
    with change(conference.pk, by=by, action="attend") as c:
        c.create(participant)
        c.detail["participants"] = [name]
    return participant


def _is_alive(participant: Participant, account: str) -> bool:
    """Whether the session that asked for it still is: not signed out, the account active, the password the same."""
    if participant.user_id is None:
        return participant.guest
    [user] = instances(User, "t.id = %(id)s", {"id": participant.user_id})
    session_key = BrowserJoin.objects.values_list("session_key", flat=True).get(account=account)
    if not user.is_active or not session_key:
        return user.is_active
    session = Session.objects.filter(pk=session_key, expire_date__gt=timezone.now()).first()
    told = session.get_decoded().get(HASH_SESSION_KEY, "") if session else ""
    return constant_time_compare(told, user.get_session_auth_hash())
