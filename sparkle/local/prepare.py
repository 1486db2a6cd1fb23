"""`python -m sparkle.local.prepare`: migrations and demonstration data in one process, for a quick start."""

from __future__ import annotations

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")
    django.setup()
    call_command("migrate", interactive=False)
    call_command("demo")


if __name__ == "__main__":
    main()
