from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from apps.switch.directory import SipAccount, a1_hash, directory_xml


def test_the_hash_is_that_of_rfc_2617() -> None:
    # §3.5: MD5 of "Mufasa:testrealm@host.com:Circle Of Life"
    assert a1_hash(SipAccount("Mufasa", "Circle Of Life"), "testrealm@host.com") == "939e7578ed9e3c518a452acee763bce9"


def test_accounts_have_hashes_and_no_passwords() -> None:
    text = directory_xml("sip.example.cn", [SipAccount("8001", "<&\"'>"), SipAccount("8002", "密码")])
    users = ET.fromstring(text).findall("domain[@name='sip.example.cn']/users/user")
    assert [user.get("id") for user in users] == ["8001", "8002"]
    for user in users:
        params = {param.get("name"): param.get("value") for param in user.iter("param")}
        assert set(params) == {"a1-hash", "allow-empty-password"}
        assert params["allow-empty-password"] == "false"
    assert "密码" not in text


def test_nothing_shares_a_line_with_the_include() -> None:
    """FreeSWITCH drops such lines whole."""
    lines = directory_xml("d", [SipAccount("8001", "x")]).splitlines()
    assert [line for line in lines if "include>" in line] == ["<include>", "</include>"]


@pytest.mark.parametrize(
    ("domain", "account"),
    [
        ("d", SipAccount("8001", "")),
        ("d", SipAccount("", "x")),
        ("d", SipAccount('1"/><x', "x")),
        ("d", SipAccount("8001\n", "x")),
        ('d"', SipAccount("8001", "x")),
        ("", SipAccount("8001", "x")),
    ],
)
def test_what_would_let_others_in_is_refused(domain: str, account: SipAccount) -> None:
    with pytest.raises(ValueError, match=r"password|number|domain"):
        directory_xml(domain, [account])
