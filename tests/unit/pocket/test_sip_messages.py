"""SIP messages and digests: what browsers send is read, all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeswitch.pocket.sip.digest import NONCE_SECONDS, Credentials, CredentialsError, Nonces, challenge
from freeswitch.pocket.sip.messages import Address, MessageError, Request, Response, Uri, parse

# As JsSIP 3.10 sends it.
REGISTER = (
    "REGISTER sip:pocket.test SIP/2.0\r\n"
    "Via: SIP/2.0/WS 6ga0sfb6i2ea.invalid;branch=z9hG4bK7834522\r\n"
    "Max-Forwards: 69\r\n"
    "To: <sip:b-17@pocket.test>\r\n"
    'From: "王小明" <sip:b-17@pocket.test>;tag=58v8m3vqrd\r\n'
    "Call-ID: 7scfbgd8vfuqafsrr5q9v4\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Contact: <sip:d8h1g3to@6ga0sfb6i2ea.invalid;transport=ws>;+sip.ice;reg-id=1;"
    '+sip.instance="<urn:uuid:b4d2c4ee-2fbd-4a8f-a5f4-d2ed4a2a2a6c>";expires=600\r\n'
    "Expires: 600\r\n"
    "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY\r\n"
    "Supported: path,gruu,outbound\r\n"
    "User-Agent: JsSIP 3.10.1\r\n"
    "Content-Length: 0\r\n"
    "\r\n"
)


def test_a_request_of_a_browser_is_read() -> None:
    request = parse(REGISTER)
    assert isinstance(request, Request)
    assert (request.method, str(request.uri)) == ("REGISTER", "sip:pocket.test")
    assert request.address("From") == Address(Uri("b-17", "pocket.test"), "王小明", {"tag": "58v8m3vqrd"})
    contact = request.address("Contact")
    assert str(contact.uri) == "sip:d8h1g3to@6ga0sfb6i2ea.invalid;transport=ws"
    assert contact.parameters["expires"] == "600"
    assert contact.parameters["+sip.instance"] == '"<urn:uuid:b4d2c4ee-2fbd-4a8f-a5f4-d2ed4a2a2a6c>"'
    assert request.cseq == (1, "REGISTER")
    assert request.transaction == ("z9hG4bK7834522", "REGISTER")
    assert request.get("user-agent") == "JsSIP 3.10.1"


def test_what_is_written_is_read_again() -> None:
    request = parse(REGISTER)
    assert isinstance(request, Request)
    response = parse(str(request.answer(200, "OK", [("Contact", str(request.address("Contact")))], "你好")))
    assert isinstance(response, Response)
    assert (response.status, response.phrase, response.body) == (200, "OK", "你好")
    assert response.transaction == request.transaction
    assert response.call_id == request.call_id
    assert response.address("To").tag
    assert response.address("Contact") == request.address("Contact")


def test_a_provisional_response_names_no_dialog() -> None:
    request = parse(REGISTER)
    assert isinstance(request, Request)
    assert not request.answer(100, "Trying").address("To").tag


@pytest.mark.parametrize("name", ['a "quoted" \\ name', "王小明", ""])
def test_names_survive(name: str) -> None:
    address = Address(Uri("b-17", "127.0.0.1", "5066"), name, {"tag": "x"})
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("REGISTER sip:pocket.test SIP/2.0", "REGISTER sip:pocket.test SIP/3.0"),
        ("REGISTER sip:pocket.test SIP/2.0", "REGISTER http://pocket.test SIP/2.0"),
        ("REGISTER sip:pocket.test SIP/2.0", "REGISTER sip:pocket.test;a b SIP/2.0"),
        ("CSeq: 1 REGISTER", "CSeq: 1 INVITE"),
        ("CSeq: 1 REGISTER", "CSeq: -1 REGISTER"),
        ("CSeq: 1 REGISTER", "CSeq: 99999999999 REGISTER"),
        ("CSeq: 1 REGISTER\r\n", ""),
        ("Call-ID: 7scfbgd8vfuqafsrr5q9v4\r\n", ""),
        (";branch=z9hG4bK7834522", ""),
        (";tag=58v8m3vqrd", ""),
        ("<sip:b-17@pocket.test>;tag", "<sip:b 17@pocket.test>;tag"),
        ("<sip:b-17@pocket.test>;tag", "<sip:b-17@pocket.test\x00>;tag"),
        ("To: <sip:b-17@pocket.test>", "To: <sip:b-17@pocket.test"),
        ("To: <sip:b-17@pocket.test>", "To: <sip:" + "b" * 200 + "@pocket.test>"),
        ("Max-Forwards: 69", "Max-Forwards: 69\r\n folded"),
        ("Max-Forwards: 69", "Max-Forwards: 69\rX: y"),
        ("Max-Forwards: 69", "X: " + "y" * 5000),
        ("Max-Forwards: 69", "\r\n".join(["X: y"] * 70)),
        ("Content-Length: 0", "Content-Length: 7"),
        ("Content-Length: 0", "Content-Length: -1"),
        ("\r\n\r\n", "\r\n"),
        ("\r\n\r\n", "\r\n\r\n" + "x" * 70_000),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    assert old in REGISTER
    with pytest.raises(MessageError):
        parse(REGISTER.replace(old, new, 1))


@given(st.integers(0, len(REGISTER) - 1), st.text(max_size=3), st.integers(0, 40))
def test_no_damage_is_anything_but_read_or_refused(at: int, put: str, cut: int) -> None:
    try:
        message = parse(REGISTER[:at] + put + REGISTER[at + cut :])
    except MessageError:
        return
    assert parse(str(message)).headers == message.headers


@pytest.mark.parametrize("text", ['"' * 4000, " " * 4000, "<" * 4000, "a;" * 2000, ";=" * 2000 + "<", '"\\' * 2000])
def test_hostile_addresses_take_no_time(text: str) -> None:
    """A pattern that tries everything would take minutes."""
    with pytest.raises(MessageError):
        Address.parse(text)


# The example of RFC 2617, 3.5.
MUFASA = (
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
A1 = "939e7578ed9e3c518a452acee763bce9"


def test_a_right_digest_proves_itself() -> None:
    credentials = Credentials.parse(MUFASA)
    assert credentials.username == "Mufasa"
    assert credentials.prove(A1, "GET")
    assert credentials.prove(A1.upper(), "GET")
    assert not credentials.prove(A1, "INVITE")
    assert not credentials.prove(A1.replace("9", "8"), "GET")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Digest", "Basic"),
        ("qop=auth", "qop=auth-int"),
        ("qop=auth, ", ""),
        ("qop=auth", "algorithm=SHA-256"),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000001, nc=00000002"),
        ('cnonce="0a4f113b"', 'cnonce=""'),
        ('username="Mufasa"', 'username=""'),
        ('username="Mufasa"', 'username="Mu"fasa"'),
        ("6629fae49393a05397450978507c4ef1", "6629fae4"),
        ("6629fae49393a05397450978507c4ef1", ""),
        ("opaque", "colour"),
        ("Mufasa", "M" * 600),
    ],
)
def test_credentials_of_another_kind_are_refused(old: str, new: str) -> None:
    assert old in MUFASA
    with pytest.raises(CredentialsError):
        Credentials.parse(MUFASA.replace(old, new, 1))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _with(nonce: str, nc: int) -> Credentials:
    return Credentials.parse(
        MUFASA.replace("dcd98b7102dd2f0e8b11d0f600bfb0c093", nonce).replace("nc=00000001", f"nc={nc:08x}")
    )


def test_a_nonce_is_good_once_for_each_count_and_for_a_while() -> None:
    clock = Clock()
    nonces = Nonces(clock)
    nonce = nonces.new()
    assert nonces.accept(_with(nonce, 1))
    assert not nonces.accept(_with(nonce, 1)), "the same again is a replay"
    assert nonces.accept(_with(nonce, 2))
    clock.now = NONCE_SECONDS
    assert not nonces.accept(_with(nonce, 3))
    assert not nonces.accept(_with("f" * 32, 1)), "we never gave that one out"
    assert nonce != nonces.new()


def test_a_challenge_is_spelt_as_freeswitch_spells_it() -> None:
    assert challenge("sparkle", "n", stale=False) == 'Digest realm="sparkle", nonce="n", algorithm=MD5, qop="auth"'
    assert " stale=true," in challenge("sparkle", "n", stale=True)
