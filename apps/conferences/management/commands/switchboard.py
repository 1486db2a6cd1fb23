"""`manage.py switchboard`: drive the nodes whose lease is free; run two, and one stands by."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Drives switches over ESL. Run two or more: one holds a node's lease, the others stand by."

    def handle(self, *args: Any, **options: Any) -> None:
        from apps.conferences.switchboard.process import main

        main()
