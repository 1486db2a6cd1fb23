"""`manage.py switchboard`: drive the nodes whose lease is free; run two, and one stands by."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Drives switches over ESL. Run two or more: one holds a node's lease, the others stand by."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--node",
            action="append",
            default=[],
            dest="nodes",
            help="a node to drive, by its name; may be given again. Without it, all: then each must be within reach.",
        )

    def handle(self, *args: Any, nodes: list[str], **options: Any) -> None:
        from apps.conferences.switchboard.process import main

        main(nodes)
