"""Minutes as mails, one at a time and to each at most once.

Whoever sends one has said so before, in a transaction of its own. If the process dies between, or the server does not
say whether it took the mail, nobody knows whether it arrived: it has failed as `interrupted`, and a person decides.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Final, cast

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core.errors import Problem

from .document import Language
from .exporting import exported
from .models import Delivery, Mailing
from .services.sending import may_read

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 6
FIRST_WAIT: Final = timedelta(minutes=1)
"""After the first try that the server took nothing of; doubled each time."""
NOT_SIGNED_IN: Final = 530
"""RFC 4954 §6: this system's fault, and not the mail's."""
INTERRUPTED: Final = timedelta(minutes=10)
"""Who has been sending for so long does not do it any more."""


def deliver_next() -> bool:
    """Send the one that waits longest; False: there is none. Safe to run at once with others."""
    delivery = _claimed()
    if delivery is None:
        return False
    try:
        mail = _mail(delivery)
    except Problem as problem:
        _end(delivery, Delivery.State.FAILED, problem.code)
        return True
    except Exception:
        # Nothing left yet, whatever it was.
        log.exception("a mail of minutes %s cannot be made", delivery.mailing_id)
        _end(delivery, Delivery.State.FAILED, "error")
        return True
    if mail is None:
        _end(delivery, Delivery.State.FAILED, "may_not_read")
        return True
    return _send(delivery, mail)


def give_up_interrupted() -> int:
    """Those of which nobody knows whether they arrived; how many."""
    long = Delivery.objects.filter(state=Delivery.State.SENDING, changed_at__lt=timezone.now() - INTERRUPTED)
    return long.update(state=Delivery.State.FAILED, reason="interrupted", changed_at=timezone.now())


@transaction.atomic
def _claimed() -> Delivery | None:
    now = timezone.now()
    waiting = Delivery.objects.filter(Q(not_before=None) | Q(not_before__lte=now), state=Delivery.State.WAITING)
    delivery = waiting.select_for_update(of=("self",), skip_locked=True).order_by("pk").first()
    if delivery is not None:
        delivery.state, delivery.reason, delivery.changed_at = Delivery.State.SENDING, "", now
        delivery.attempts += 1
        delivery.save()
    return delivery


def _send(delivery: Delivery, mail: EmailMessage) -> bool:
    """False: the mail server does not answer, or does not let us in, and others need not ask it now."""
    with closing(get_connection()) as server:
        try:
            server.open()
        except (OSError, SMTPException, ValueError) as error:
            # Nothing was said of the mail yet. ValueError: of a name that cannot be looked up.
            _again(delivery, "mail_server", error)
            return False
        try:
            server.send_messages([mail])
        except SMTPRecipientsRefused as error:
            _refused(delivery, max((code for code, _why in error.recipients.values()), default=500), error)
        except (SMTPSenderRefused, SMTPDataError) as error:
            _refused(delivery, error.smtp_code, error)
        except ValueError as error:
            # Of an address that cannot be written down: nothing left.
            log.error("a mail of minutes %s cannot be sent: %s", delivery.mailing_id, type(error).__name__)
            _end(delivery, Delivery.State.FAILED, "error")
        except (OSError, SMTPException) as error:
            kind = type(error).__name__
            log.error("whether a mail of minutes %s arrived is not known: %s", delivery.mailing_id, kind)
            _end(delivery, Delivery.State.FAILED, "interrupted")
        else:
            _end(delivery, Delivery.State.SENT, "")
    return True


def _refused(delivery: Delivery, code: int, error: Exception) -> None:
    """RFC 5321 §4.2.1: what begins with 5 is for good."""
    if code >= 500 and code != NOT_SIGNED_IN:
        _end(delivery, Delivery.State.FAILED, "refused")
    else:
        _again(delivery, "mail_server", error)


def _again(delivery: Delivery, reason: str, error: Exception) -> None:
    log.warning("a mail of minutes %s waits: %s", delivery.mailing_id, type(error).__name__)
    if delivery.attempts >= MOST_ATTEMPTS:
        _end(delivery, Delivery.State.FAILED, reason)
        return
    delivery.not_before = timezone.now() + FIRST_WAIT * 2 ** (delivery.attempts - 1)
    _end(delivery, Delivery.State.WAITING, reason)


def _end(delivery: Delivery, state: Delivery.State, reason: str) -> None:
    delivery.state, delivery.reason, delivery.changed_at = state, reason, timezone.now()
    delivery.save()


def _mail(delivery: Delivery) -> EmailMessage | None:
    """In the recipient's language, with the minutes as they are now. None: they may not read them any more. Raises
    TemplateUnusable.
    """
    mailing = Mailing.objects.select_related("minutes__conference__owner", "minutes__whisper", "version").get(
        pk=delivery.mailing_id
    )
    minutes, user = mailing.minutes, delivery.user
    if not user.is_active or not user.email or not may_read(minutes, [user]):
        return None
    language = cast(Language, user.language)
    file = exported(minutes, mailing.version, "docx", site=mailing.site, language=language)
    conference = minutes.conference
    link = f"{mailing.site}/conferences/{conference.pk}/minutes"
    if minutes.whisper_id is not None:
        link += f"?whisper={minutes.whisper_id}"
    with translation.override(language):
        words = {
            "title": conference.title,
            "date": date_format(timezone.localtime(conference.started_at or conference.launched_at), "DATE_FORMAT"),
            "name": mailing.by_name,
            "link": link,
        }
        parts = [
            mailing.message,
            _("The minutes of “%(title)s” of %(date)s are attached.") % words,
            "" if mailing.version else _("They are a draft: nobody has signed them yet."),
            _("To read them, and to hear what was said:\n%(link)s") % words,
            _("Sent by %(name)s.") % words,
        ]
        subject = mailing.subject or _("Minutes: %(title)s") % words
    mail = EmailMessage(subject, "\n\n".join(part for part in parts if part), to=[user.email])
    mail.attach(file.name, file.data, file.media_type)
    return mail
