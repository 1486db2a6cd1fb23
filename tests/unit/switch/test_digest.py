from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from urllib.parse import unquote

import pytest

from apps.switch.digest import Digest, a1_hash, new_password


def test_the_hash_is_that_of_rfc_2617() -> None:
    # §3.5: MD5 of "Mufasa:testrealm@host.com:Circle Of Life"
    assert a1_hash("Mufasa", "testrealm@host.com", "Circle Of Life") == "939e7578ed9e3c518a452acee763bce9"


def test_without_a_password_there_is_no_hash() -> None:
    with pytest.raises(ValueError, match="password"):
        a1_hash("8001", "sparkle", "")


def test_passwords_are_long_all_different_and_easy_to_type() -> None:
    made = {new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(password) for password in made} == {24}
    assert not set("".join(made)) & set("0O1lI")


def test_a_digest_is_proved_as_the_standards_have_it() -> None:
    """RFC 2617 §3.5; the other one as RFC 2069 makes it."""
    known = a1_hash("Mufasa", "testrealm@host.com", "Circle Of Life")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    digest = Digest(
        method="GET",
        uri="/dir/index.html",
        nonce=nonce,
        response="6629FAE49393A05397450978507C4EF1",
        nc="00000001",
        cnonce="0a4f113b",
        qop="auth",
    )
    assert digest.is_made_with(known)
    assert not digest.is_made_with(a1_hash("Mufasa", "testrealm@host.com", "circle of life"))
    assert not replace(digest, method="POST").is_made_with(known)
    assert not replace(digest, response="").is_made_with(known)
    assert replace(digest, nc="", response="670fd8c2df070c60b045671b8b24ff02").is_made_with(known)


@pytest.mark.parametrize(
    "sent", ["sip:%238@example.org", "sip:#8@example.org", "sips:a%3Ab@example.org", "sip:example.org"]
)
def test_a_digest_is_proved_however_the_switch_read_the_uri(sent: str) -> None:
    """FreeSWITCH posts `%23` as it is."""
    known = a1_hash("8001", "sparkle", "secret")
    of_uri = md5(f"INVITE:{sent}".encode()).hexdigest()
    response = md5(f"{known}:n:{of_uri}".encode()).hexdigest()
    assert Digest("INVITE", unquote(sent), "n", response).is_made_with(known)
    assert not Digest("INVITE", "sip:other@example.org", "n", response).is_made_with(known)
