"""Rows of every model, as many as a test wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from rest_framework.authtoken.models import Token

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.models import (
    AccessNumber,
    Announcement,
    Attempt,
    BrowserJoin,
    Conference,
    Delta,
    DialIn,
    GuestLink,
    Participant,
    PersonalPin,
    Plan,
    PlanPerson,
    Whisper,
)
from apps.core.ids import new_id
from apps.core.models import AuditEntry, Failures, IdempotencyRecord
from apps.minutes.models import Delivery, Mailing, Minutes, SignedVersion, Transcript, Worker
from apps.recordings.models import LegalHold, SayAgain, Track, Utterance
from apps.switch.models import (
    BrowserAccount,
    Extension,
    Gateway,
    GatewayState,
    Node,
    NumberRule,
    ProvisioningLink,
    SignInGuard,
)

SECRET_TEXT = "收购价格一千万"
ESL_PASSWORD = "ClueCon-never-shown"
A1_HASH = "0123456789abcdef-never-shown"
XML_PASSWORD = "xml-never-shown"
TRUNK_PASSWORD = "trunk-never-shown"
MOBILE = {"kind": "mobile", "number": "+8613800138000"}


def populate(first: int, count: int) -> dict[type[models.Model], Any]:
    """`count` rows of every model, numbered from `first`; returns the last of each."""
    last: dict[type[models.Model], Any] = {}
    for n in range(first, first + count):
        for row in _one_of_each(n):
            last[type(row)] = row
    return last


def _one_of_each(n: int) -> list[models.Model]:
    now = timezone.now()
    company = OrganisationUnit.objects.create(name=f"集团{n}")
    unit = OrganisationUnit.objects.create(name=f"研发部{n}", parent=company)
    policy = OrganisationPolicy.objects.create(unit=unit)
    user = User.objects.create_user(f"zhangwei{n}", "x" * 12, display_name=f"张伟{n}", unit=unit)
    Token.objects.create(user=user)
    group = Group.objects.create(name=f"值班{n}")
    node = Node.objects.create(
        name=f"node{n}",
        esl_password=ESL_PASSWORD,
        xml_password=XML_PASSWORD,
        connected=True,
        lease_holder=f"switchboard{n}",
        lease_until=now + timedelta(minutes=1),
        last_heartbeat_at=now,
    )
    gateway = Gateway.objects.create(
        name=f"trunk{n}",
        node=node,
        handles=["mobile", "landline"],
        dial_string="sofia/gateway/trunk/{number}",
        encryption=Gateway.Encryption.EXEMPT,
        exemption_reason="所需设备不支持",
    )
    trunk = Gateway.objects.create(
        name=f"carrier{n}", handles=["mobile"], host="sip.example.cn", username="acme", password=TRUNK_PASSWORD
    )
    rule = NumberRule.objects.create(gateway=trunk, prefix="+86", replacement="0")
    state = GatewayState.objects.create(gateway=trunk, node=node, up=True, state="NOREG", since=now, seen_at=now)
    extension = Extension.objects.create(number=str(8000 + n), display_name=f"张伟{n}", user=user, a1_hash=A1_HASH)
    plan = Plan.objects.create(title=f"周例会{n}", agenda=SECRET_TEXT, owner=user)
    person = PlanPerson.objects.create(plan=plan, name=f"李娜{n}", numbers=[MOBILE], user=user)
    conference = Conference.objects.create(
        title=f"周例会{n}", agenda=SECRET_TEXT, plan=plan, owner=user, node=node, ends_at=now + timedelta(hours=1)
    )
    whisper = Whisper.objects.create(conference=conference, title=SECRET_TEXT, opened_by=user)
    participant = Participant.objects.create(
        conference=conference, name=f"李娜{n}", numbers=[MOBILE], user=user, whisper=whisper, state="connected"
    )
    announcement = Announcement.objects.create(
        conference=conference, participant=participant, text=SECRET_TEXT, language="zh-hans", path="/s/a.wav"
    )
    attempt = Attempt.objects.create(
        leg=new_id(),
        conference=conference,
        participant=participant,
        round=1,
        ordinal=1,
        number_index=0,
        kind="mobile",
        number=MOBILE["number"],
        gateway=gateway,
        gateway_name=gateway.name,
        phase="answered",
        stored_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    delta = Delta.objects.create(
        conference=conference, seq=1, changes={"announcements": {str(announcement.pk): {"text": SECRET_TEXT}}}
    )
    account = BrowserAccount.objects.create(name=f"b-{n}", a1_hash=SECRET_TEXT, expires_at=now + timedelta(hours=1))
    guard = SignInGuard.objects.create(
        source=f"203.0.113.{n}", account=extension.number, failures=3, last_failed_at=now
    )
    phone_link = ProvisioningLink.objects.create(extension=extension, token_hash=f"{SECRET_TEXT}{n}", expires_at=now)
    join = BrowserJoin.objects.create(account=account, participant=participant, session_key=SECRET_TEXT)
    link = GuestLink.objects.create(conference=conference, token_hash=str(n), token=SECRET_TEXT, pin=SECRET_TEXT)
    track = Track.objects.create(
        pk=new_id(),
        conference=conference,
        participant=participant,
        node=node,
        leg=attempt.leg,
        kind="person",
        part=1,
        requested_at=now,
        key_id="first",
        sealed_key=SECRET_TEXT.encode(),
    )
    utterance = Utterance.objects.create(track=track, start=0, end=1000)
    hold = LegalHold.objects.create(conference=conference, reason="案件", set_at=now, set_by=user)
    again = SayAgain.objects.create(participant=participant, utterance=utterance, node=node, asked_at=now)
    minutes = Minutes.objects.create(conference=conference, opened_at=now, summary=SECRET_TEXT)
    transcript = Transcript.objects.create(
        id=utterance.pk,
        minutes=minutes,
        track=track,
        start=0,
        end=1000,
        starts_at=now,
        sentences=[[0, 1000, SECRET_TEXT, "good"]],
    )
    worker = Worker.objects.create(name=f"host-{n}", engine="faster-whisper", seen_at=now)
    signed = SignedVersion.objects.create(
        minutes=minutes,
        number=1,
        signed_at=now,
        signed_name="陈静",
        document={"passages": [], "agenda": SECRET_TEXT},
        digest="0" * 64,
    )
    mailing = Mailing.objects.create(minutes=minutes, site="https://example.com", at=now, message=SECRET_TEXT)
    delivery = Delivery.objects.create(mailing=mailing, user=user, changed_at=now)
    access = AccessNumber.objects.create(number=str(6000 + n), label=f"{n}")
    pins = dict.fromkeys(("chair_pin", "member_pin", "participant_pin"), SECRET_TEXT)
    dial_in = DialIn.objects.create(number=str(10_000_000 + n), plan=plan, **pins)
    personal_pin = PersonalPin.objects.create(dial_in=dial_in, key=str(n), pin=SECRET_TEXT)
    entry = AuditEntry.objects.create(
        actor_id=user.pk, actor_name=user.display_name, action="mute", object_type="participant", object_id="1"
    )
    failures = Failures.objects.create(key=f"guess-{n}", failures=1, forgotten_at=timezone.now())
    record = IdempotencyRecord.objects.create(
        actor_id=user.pk,
        key=f"k{n}",
        method="POST",
        path="/api/v1/plans/",
        body_hash="0",
        status=200,
        answer={"agenda": SECRET_TEXT},
    )
    return [
        minutes,
        transcript,
        worker,
        signed,
        mailing,
        delivery,
        track,
        utterance,
        hold,
        again,
        company,
        unit,
        policy,
        user,
        group,
        node,
        gateway,
        rule,
        state,
        extension,
        plan,
        person,
        conference,
        whisper,
        participant,
        announcement,
        attempt,
        delta,
        account,
        guard,
        phone_link,
        join,
        link,
        access,
        dial_in,
        personal_pin,
        entry,
        failures,
        record,
    ]
