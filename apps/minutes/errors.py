"""What minutes refuse. The codes are part of the API."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotFound, Problem


class NoMinutes(NotFound):
    code = "no_minutes"
    title = _("There are no minutes")
    detail = _("Minutes are written of what is recorded, where the plan says so.")


class PassageOutdated(Problem):
    code = "passage_outdated"
    title = _("Somebody else has changed this passage")
    detail = _("What you wrote was not kept. Look at the passage as it is now, and repeat your change.")


class MinutesSigned(Problem):
    code = "minutes_signed"
    title = _("These minutes are signed")
    detail = _("Nothing of them changes until somebody who may sign takes them up again.")


class NothingToMerge(Problem):
    code = "nothing_to_merge"
    title = _("There is nothing to put together")
    detail = _("Nobody follows on this line whom the passage is of: name the speaker of the next one first.")


class NothingToRestore(Problem):
    code = "nothing_to_restore"
    title = _("There is no original")
    detail = _("The engine wrote nothing for this stretch of time, or it was erased.")


class MinutesOpen(Problem):
    code = "minutes_open"
    title = _("These minutes are still being written")
    detail = _("They can be signed once all that was said is written.")


class MinutesNotSigned(Problem):
    code = "minutes_not_signed"
    title = _("These minutes are not signed")
    detail = _("Only what is signed can be taken up again.")


class MinutesChanged(Problem):
    code = "minutes_changed"
    title = _("The minutes have changed meanwhile")
    detail = _("Look at what has changed, then sign what you see now.")


class EvidenceMissing(Problem):
    code = "evidence_missing"
    title = _("Some of what was recorded cannot be read now")


class NoSuchVersion(NotFound):
    code = "no_such_version"
    title = _("There is no such version")
    detail = _("The versions that were signed are in versions of the minutes.")


class TemplateUnusable(Problem):
    status = 503
    code = "template_unusable"
    title = _("The template of minutes cannot be used")


class NoMailServer(Problem):
    code = "no_mail_server"
    title = _("This system sends no mail")
    detail = _("An administrator has to configure a mail server first.")


class SummaryOff(Problem):
    code = "summary_off"
    title = _("Summaries are not made here")
    detail = _("An administrator has named no service for them; and nothing of a whisper is ever sent to one.")


class SummaryFailed(Problem):
    status = 502
    code = "summary_failed"
    title = _("There is no summary")
