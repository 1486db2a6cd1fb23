"""Dialling in by telephone: which conference a number leads to, and whom a PIN names.

Caller IDs are for display and for counting failures, and prove nothing (decisions/0015).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.conferences.access import Role
from apps.conferences.models import AccessNumber, Conference, DialIn, Participant
from apps.core import audit
from apps.core.brake import Brake
from apps.switch.models import Extension
from apps.switch.numbers import called, masked

from . import pins

#: Wrong numbers and PINs after which no more are heard for a while, in seconds: from one caller.
CALLER_FAILURES, CALLER_WINDOW = 10, 900
#: The same for one conference, whoever calls.
CONFERENCE_FAILURES, CONFERENCE_WINDOW = 20, timedelta(hours=1)
#: For so long a conference "has ended"; after that its plan's next one "has not begun".
ENDED_FOR = timedelta(hours=1)

PHONES = "internal"
"""The profile at which callers have proved who they are: by the password of an extension."""


class Refusal(Exception):  # noqa: N818 - no error: what a caller is told before the call ends
    """`prompt` is the name of what is said (freeswitch/prompts)."""

    def __init__(self, prompt: str) -> None:
        super().__init__(prompt)
        self.prompt = prompt


@dataclass(frozen=True, slots=True)
class PhoneCaller:
    """Who calls, as far as the switch can tell. `account`: the extension whose password it was, or none."""

    number: str
    address: str
    account: str = ""

    @classmethod
    def of(cls, *, number: str, address: str, profile: str, account: str) -> PhoneCaller:
        if profile == PHONES:
            return cls(account, address, account)
        number = called(number)
        return cls(number if number.lstrip("+").isdigit() and len(number) <= 32 else "", address)

    @property
    def brake(self) -> Brake:
        # Of an account it is the account: from wherever it is used.
        source = self.account or f"{self.number}@{self.address}"
        return Brake("dial-in", source, CALLER_FAILURES, CALLER_WINDOW)

    @property
    def name(self) -> str:
        """What others may see of who it is; empty where nothing is known."""
        if self.account:
            found = Extension.objects.filter(number=self.account).values_list("display_name", flat=True).first()
            return found or self.account
        return masked(self.number)


def access_number(dialled: str) -> AccessNumber | None:
    """The number that was called, in whatever form the network gave it."""
    return AccessNumber.objects.filter(number=called(dialled), enabled=True).first()


def require_heard(caller: PhoneCaller) -> None:
    """Raises Refusal for somebody who was wrong too often."""
    if caller.brake.holds:
        raise Refusal("blocked")


def find(number: str, caller: PhoneCaller) -> DialIn | None:
    """What a conference number leads to; a wrong one counts. Raises Refusal."""
    require_heard(caller)
    found = DialIn.objects.select_related("plan", "conference").filter(number=number).first()
    if found is None:
        _failed(caller)
    return found


def conference_of(dial_in: DialIn) -> Conference:
    """The conference that is on. Raises Refusal where there is none, yet or any more."""
    if dial_in.plan_id is None:
        last = dial_in.conference
    else:
        last = Conference.objects.filter(plan=dial_in.plan_id).order_by("-launched_at").first()
    if last is not None and last.phase != Conference.Phase.ENDED:
        return last
    raise Refusal("ended" if last is not None and (dial_in.plan_id is None or _ended_lately(last)) else "not-begun")


def language_of(dial_in: DialIn) -> str:
    """That of the plan, or of the conference that has none."""
    languages = [of.prompt_language for of in (dial_in.plan, dial_in.conference) if of is not None]
    return languages[0]


def whose_pin(dial_in: DialIn, conference: Conference, pin: str, caller: PhoneCaller) -> Participant | Role | None:
    """The person whose PIN it is, or the role. A wrong one counts and is audited. Raises Refusal."""
    require_heard(caller)
    now = timezone.now()
    with transaction.atomic():
        row = DialIn.objects.select_for_update().get(pk=dial_in.pk)
        if row.failing_since is None or row.failing_since + CONFERENCE_WINDOW <= now:
            row.failures, row.failing_since = 0, now
        if row.failures >= CONFERENCE_FAILURES:
            raise Refusal("conference-blocked")
        found = _person(row, conference, pin) or pins.role_of_pin(row, pin)
        if found is None:
            row.failures += 1
            row.save(update_fields=["failures", "failing_since"])
            _record("dial_in_pin_failed", caller, conference)
    if found is None:
        _failed(caller)
    return found


def _person(dial_in: DialIn, conference: Conference, pin: str) -> Participant | None:
    return conference.participants.filter(pin_key__in=pins.keys_of_pin(dial_in, pin)).first()


def _ended_lately(conference: Conference) -> bool:
    return conference.ended_at is not None and conference.ended_at + ENDED_FOR > timezone.now()


def _failed(caller: PhoneCaller) -> None:
    """Raises Refusal with what was one too many."""
    caller.brake.failed()
    if caller.brake.holds:
        _record("dial_in_blocked", caller, None)
        raise Refusal("blocked")


def _record(action: str, caller: PhoneCaller, on: Conference | None) -> None:
    audit.record(
        by=audit.By(address=caller.address or None),
        action=action,
        on=on,
        conference_id=on.pk if on else None,
        detail={"from": caller.account or masked(caller.number)},
    )
