from __future__ import annotations

import pytest

from apps.switch.digest import a1_hash, new_password


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
