"""The WSGI application of what FreeSWITCH asks by mod_xml_curl, in processes of its own (sparkle/xml_gunicorn.py)."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")

# Django's set-up comes first: the modules below need the app registry.
django.setup(set_prefix=False)

from apps.conferences.dialin.dialplan import dialplan  # noqa: E402
from apps.switch.xml.application import Application  # noqa: E402
from apps.switch.xml.directory import directory  # noqa: E402

application = Application({"/switch/xml/directory": directory, "/switch/xml/dialplan": dialplan})
