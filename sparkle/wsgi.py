"""The WSGI application: in production it serves pages and REST, and the ASGI processes serve WebSockets."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")

application = get_wsgi_application()
