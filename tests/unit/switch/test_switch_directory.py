from __future__ import annotations

import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.switch.models import Extension


@pytest.mark.django_db
def test_the_command_writes_the_accounts_of_enabled_extensions_with_a_password(tmp_path: Path) -> None:
    Extension.objects.create(number="8002", display_name="李四", sip_password="two")
    Extension.objects.create(number="8001", display_name="张三", sip_password="one")
    Extension.objects.create(number="8003", display_name="无密码")
    Extension.objects.create(number="8004", display_name="停用", sip_password="four", enabled=False)
    file = tmp_path / "extensions.xml"
    file.write_text("before")
    call_command("switch_directory", file, domain="127.0.0.1", verbosity=0)
    assert [user.get("id") for user in ET.parse(file).iter("user")] == ["8001", "8002"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
