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
