"""Signing minutes off, and taking them up again. What was signed stays, whatever comes after it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

from django.utils import timezone

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.core import audit
from apps.minutes.assembling import document_now
from apps.minutes.document import Language
from apps.minutes.errors import MinutesChanged, MinutesNotSigned, MinutesOpen, MinutesSigned
from apps.minutes.evidence import control_of, signed_tracks, tracks_of
from apps.minutes.exports import as_json
from apps.minutes.models import Minutes, SignedVersion

from .changing import change

SIGNED = "minutes_sign"
"""The entry in the log, which names version and digest."""


def sign(*, by: audit.By, actor: Actor, minutes: Minutes, seq: int, site: str) -> SignedVersion:
    """Keep what the person saw, which was change `seq`, as the next version; once, however often they ask. Not to be
    called within a transaction: all that was recorded is read, and a store may be slow. Raises MinutesOpen,
    MinutesSigned, MinutesChanged with the `seq` there is now, EvidenceMissing, and what says why they may not.
    """
    actor.require(Action.SIGN_MINUTES)
    if (version := _signed_before(minutes, actor, seq)) is not None:
        return version
    _require_unchanged(minutes, seq)
    tracks = signed_tracks(minutes)
    with change(minutes.pk, actor=actor, by=by, act="sign", signed=True) as c:
        minutes = c.minutes
        if (version := _signed_before(minutes, actor, seq)) is not None:
            return version
        _require_unchanged(minutes, seq)
        if [(each.pk, each.state) for each in tracks_of(minutes)] != [
            (each.id, {"erased": "erased", "damaged": "damaged"}.get(each.sha256, "sealed")) for each in tracks
        ]:
            raise MinutesChanged(seq=minutes.seq)
        last = minutes.versions.order_by("-number").first()
        version = SignedVersion(
            minutes=minutes,
            number=last.number + 1 if last else 1,
            signed_at=timezone.now(),
            signed_by=actor.login,
            signed_name=actor.user.display_name[:64],
        )
        document = replace(
            document_now(minutes, site=site, language=cast(Language, minutes.conference.prompt_language)),
            version=version.number,
            signed_by=version.signed_name,
            signed_at=version.signed_at,
        )
        evidence = as_json.Evidence(tuple(tracks), tuple(control_of(minutes)))
        version.digest = as_json.digest(document, evidence)
        whole = as_json.write(replace(document, digest=version.digest), hidden=True, evidence=evidence)
        version.document = json.loads(whole)
        version.save(force_insert=True)
        minutes.state = Minutes.State.SIGNED
        c.numbered = True
        c.detail |= {"version": version.number, "digest": version.digest}
    return version


def reopen(*, by: audit.By, actor: Actor, minutes: Minutes) -> None:
    """Let people correct them again; the versions stay. Raises MinutesNotSigned, and what says why they may not."""
    actor.require(Action.SIGN_MINUTES)
    with change(minutes.pk, actor=actor, by=by, act="reopen", signed=True) as c:
        if c.minutes.state != Minutes.State.SIGNED:
            raise MinutesNotSigned
        c.minutes.state = Minutes.State.READY
        c.numbered = True


def _signed_before(minutes: Minutes, actor: Actor, seq: int) -> SignedVersion | None:
    """By them, of that change, and nothing was changed since: whoever asks again did not get the answer."""
    if minutes.state != Minutes.State.SIGNED or minutes.seq != seq + 1:
        return None
    last = minutes.versions.order_by("-number").first()
    return last if last and actor.login and last.signed_by_id == actor.login.pk else None


def _require_unchanged(minutes: Minutes, seq: int) -> None:
    if minutes.state == Minutes.State.OPEN:
        raise MinutesOpen
    if minutes.state == Minutes.State.SIGNED:
        raise MinutesSigned
    if minutes.seq != seq:
        raise MinutesChanged(seq=minutes.seq)
