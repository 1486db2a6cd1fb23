"""What the installation under test has: accounts of five phones, an access number, gateways."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live.dialling import ACCESS
from tests.system.stack import ROOT, Stack

NAMES = ["张伟", "王芳", "李娜", "刘洋", "陈静"]
NUMBERS = ["8811", "8812", "8813", "8814", "8815"]
PASSWORD = "only-in-this-test"
MISLED, OLD = "+8613888889000", "+8613877779000"

# The demonstration's data leads to the gateway of registered extensions with any number but its scripted people's.
ACCOUNTS = f"""
from django.conf import settings
from apps.switch.digest import a1_hash
from apps.switch.models import Extension
for number, name in zip({NUMBERS}, {NAMES}):
    known = a1_hash(number, settings.SPARKLE_SIP_REALM, "{PASSWORD}")
    Extension.objects.create(number=number, display_name=name, a1_hash=known)
from apps.conferences.models import AccessNumber
AccessNumber.objects.create(number="{ACCESS}", label="test", language="zh-hans")
from apps.switch.models import Gateway
for name, prefix, encryption in (("misled", "+861388", "mandatory"), ("old", "+861387", "exempt")):
    Gateway.objects.create(
        name=name, prefix=prefix, encryption=encryption, handles=["mobile"], dial_string="loopback/{{number}}/rehearsal"
    )
"""


def manage(stack: Stack, *arguments: str) -> None:
    command = [sys.executable, str(Path(ROOT) / "manage.py"), *arguments]
    subprocess.run(command, env=stack.told(), check=True, capture_output=True, timeout=60)
