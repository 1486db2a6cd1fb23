"""Write the SIP accounts of all enabled extensions for a FreeSWITCH node (read by it at start and on `reloadxml`)."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.switch.directory import SipAccount, directory_xml
from apps.switch.models import Extension


class Command(BaseCommand):
    help = "Write the directory file of a FreeSWITCH node. Extensions without a password get no account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--domain", required=True, help="the node's SIP domain")

    def handle(self, *args: Any, file: Path, domain: str, **options: Any) -> None:
        extensions = Extension.objects.filter(enabled=True).exclude(sip_password="")
        accounts = [SipAccount(extension.number, extension.sip_password) for extension in extensions]
        part = file.with_name(f".{file.name}.part")
        part.unlink(missing_ok=True)
        # The hashes are as good as the passwords: for the owner only, from the first byte.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as writing:
            writing.write(directory_xml(domain, accounts))
        part.rename(file)
        self.stdout.write(f"{len(accounts)} SIP accounts written")
