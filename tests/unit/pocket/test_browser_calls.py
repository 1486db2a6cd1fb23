"""Browsers register, call and are called: SIP over WebSocket, and who decides about it."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apps.switch.esl.translation import translate
from apps.switch.events import LegReport
from freeswitch.pocket.media import SECURE
from freeswitch.pocket.sip.profile import SofiaProfile
from freeswitch.pocket.xml_curl import XmlCurl
from tests.doubles.browser import browser, dial_in
from tests.unit.pocket.scene import Scene, play

SDP = ("Content-Type", "application/sdp")

USER = (
    '<document><section name="directory"><domain name="pocket.test"><user id="b-17"><params>'
    '<param name="a1-hash" value="{a1_hash}"/></params>'
)
USER_END = "</user></domain></section></document>"
A1_HASH = hashlib.md5(b"b-17:sparkle:password of b-17").hexdigest()

# Who may come.


def test_who_knows_the_password_registers() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-17")
        response = await page.register()
        assert response.status == 200
        contact = response.address("Contact")
        assert contact.uri == page.contact.uri
        assert contact.parameters["expires"] == "600"

        [question] = scene.plane.questions["directory"]
        assert {
            "section": "directory",
            "tag_name": "domain",
            "key_name": "name",
            "key_value": "pocket.test",
            "Event-Name": "REQUEST_PARAMS",
            "action": "sip_auth",
            "sip_profile": "internal",
            "sip_auth_username": "b-17",
            "sip_auth_realm": "sparkle",
            "sip_auth_uri": "sip:pocket.test",
            "sip_auth_method": "REGISTER",
            "sip_auth_nc": "00000001",
            "sip_auth_qop": "auth",
            "sip_to_user": "b-17",
            "sip_from_user": "b-17",
            "sip_via_protocol": "ws",
            "key": "id",
            "user": "b-17",
            "domain": "pocket.test",
            "ip": "127.0.0.1",
        }.items() <= question.items()
        assert {"sip_auth_nonce", "sip_auth_response", "sip_auth_cnonce", "client_port", "hostname"} <= question.keys()

    play(act)


@pytest.mark.parametrize(("user", "password"), [("b-17", "wrong"), ("b-99", "password of b-17"), ("b-17", "")])
def test_who_does_not_is_refused_and_told_of(user: str, password: str) -> None:
    async def act(scene: Scene) -> None:
        scene.plane.accounts["b-17"] = "password of b-17"
        page = await scene.page(user, password=password or " ")
        for response in (await page.register(), await page.call("join")):
            assert (response.status, response.phrase) == (403, "Forbidden")
        failures = [event for event in scene.pocket.events if event["Event-Name"] == "CUSTOM"]
        assert [event["registration-type"] for event in failures] == ["REGISTER", "INVITE"]
        assert {event["Event-Subclass"] for event in failures} == {"sofia::register_failure"}
        assert {event["network-ip"] for event in failures} == {"127.0.0.1"}
        assert not scene.pocket.switch.legs
        assert scene.profile.find(user) is None

    play(act)


def test_nobody_registers_another() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-17")
        scene.plane.accounts["8001"] = "x"
        assert (await page.register(user="8001")).status == 403
        assert scene.plane.questions["directory"] == []

    play(act)


@pytest.mark.parametrize(
    "broken",
    [
        (500, "oops"),
        (200, "no XML"),
        (200, '<document><section name="directory"/></document>'),
        (200, USER.format(a1_hash=A1_HASH) + " " * 2_000_000 + USER_END),
        (200, USER.format(a1_hash="") + USER_END),
    ],
    ids=["error", "garbage", "empty", "huge", "no password"],
)
def test_a_control_plane_that_does_not_answer_rightly_lets_nobody_in(
    broken: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    async def act(scene: Scene) -> None:
        scene.plane.broken = broken
        page = await scene.page("b-17")
        assert (await page.register()).status == 403

    play(act)
    assert "sip_auth_response" not in caplog.text


def test_an_account_may_stand_anywhere_in_its_domain() -> None:
    async def act(scene: Scene) -> None:
        scene.plane.broken = 200, USER.format(a1_hash=A1_HASH) + USER_END
        page = await scene.page("b-17")
        assert (await page.register()).status == 200

    play(act)


def test_a_control_plane_that_is_away_lets_nobody_in() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-17")
        scene.plane.__exit__(None, None, None)
        assert (await page.register()).status == 403
        scene.plane.__enter__()

    play(act)


def test_a_call_that_the_dialplan_does_not_know_is_rejected() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-17")
        response = await page.call("nowhere")
        assert (response.status, response.phrase) == (603, "Decline")
        assert response.get("Reason") == 'Q.850;cause=21;text="CALL_REJECTED"'
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == "CALL_REJECTED"
        assert ended["variable_sip_hangup_disposition"] == "send_refuse"

    play(act)


def test_the_dialplan_is_asked_with_all_that_is_known() -> None:
    async def act(scene: Scene) -> None:
        scene.plane.variables = {"user_context": "browsers", "sparkle_participant": "p-1"}
        _, leg = await scene.joined("b-17")
        [question] = scene.plane.questions["dialplan"]
        assert {
            "section": "dialplan",
            "tag_name": "",
            "Event-Name": "REQUEST_PARAMS",
            "Unique-ID": leg.uuid,
            "Call-Direction": "inbound",
            "Channel-Name": "sofia/internal/b-17@pocket.test",
            "Caller-Destination-Number": "join",
            "Caller-Caller-ID-Number": "b-17",
            "Caller-Caller-ID-Name": "Browser b-17",
            "Caller-Username": "b-17",
            "Caller-Network-Addr": "127.0.0.1",
            "Caller-Context": "browsers",
            "Hunt-Context": "browsers",
            "Hunt-Destination-Number": "join",
            "variable_user_name": "b-17",
            "variable_domain_name": "pocket.test",
            "variable_sip_auth_username": "b-17",
            "variable_sip_authorized": "true",
            "variable_sip_via_protocol": "ws",
            "variable_sip_network_ip": "127.0.0.1",
            "variable_sparkle_participant": "p-1",
        }.items() <= {"tag_name": "", **question}.items()

    play(act)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pocket")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "wss.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return file


def test_with_a_certificate_it_is_wss(tmp_path: Path) -> None:
    file = _certificate(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cafile=file)

    async def act(scene: Scene) -> None:
        await scene.page("b-1")
        profile = SofiaProfile(
            scene.pocket.switch,
            XmlCurl(scene.plane.url, scene.plane.name, scene.plane.password),
            scene.plane.domain,
            scene.plane.realm,
            server,
        )
        await profile.open("127.0.0.1", 0)
        assert profile.url.startswith("wss://127.0.0.1:")
        async with browser(profile.url, "b-1", "password of b-1", tls=client) as page:
            assert (await page.register()).status == 200
        assert scene.plane.questions["directory"][-1]["sip_via_protocol"] == "wss"
        await profile.close()

    play(act)


# How a call ends.


def test_a_browser_hangs_up() -> None:
    async def act(scene: Scene) -> None:
        page, _ = await scene.joined("b-1")
        assert (await page.hang_up()).status == 200
        await scene.pocket.until(lambda: not scene.pocket.switch.legs, "it is gone")
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == "NORMAL_CLEARING"
        assert ended["variable_sip_hangup_disposition"] == "recv_bye"
        assert not page.ended.is_set()
        assert (await page.hang_up()).status == 481

    play(act)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        *((how, "Q.850;cause=16;text=") for how in ("conference R kick all", "conference R hup all", "hupall")),
        ("uuid_kill {uuid}", "Q.850;cause=16;text="),
        ("uuid_kill {uuid} LOSE_RACE", 'SIP;cause=200;text="Call completed elsewhere"'),
    ],
)
def test_the_switch_says_goodbye(how: str, reason: str) -> None:
    async def act(scene: Scene) -> None:
        page, leg = await scene.joined("b-1")
        await scene.pocket.api(how.format(uuid=leg.uuid))
        async with asyncio.timeout(5):
            await page.ended.wait()
        assert page.goodbye is not None
        assert (page.goodbye.get("Reason") or "").startswith(reason)

    play(act)


def test_the_caller_gives_up() -> None:
    async def act(scene: Scene) -> None:
        scene.plane.dialplan["slow"] = [("sleep", "60000"), ("answer", "")]
        page = await scene.page("b-1")
        calling = asyncio.create_task(page.call("slow"))
        await scene.pocket.until(lambda: bool(scene.plane.questions["dialplan"]), "it is in the dialplan")
        assert (await page.cancel()).status == 200
        assert (await calling).status == 487
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == "ORIGINATOR_CANCEL"
        assert ended["variable_sip_hangup_disposition"] == "recv_cancel"
        assert (await page.cancel()).status == 481

    play(act)


def test_a_lost_connection_ends_no_call() -> None:
    async def act(scene: Scene) -> None:
        first, _ = await scene.joined("b-1", 500)
        second, leg = await scene.joined("b-2", 800)
        await second.register()
        assert scene.profile.find("b-2") is not None
        await second.lose_connection()
        await scene.pocket.until(
            lambda: scene.profile.find("b-2") is None,
            "its registration is gone",
        )
        await scene.hears(first, {800})
        await second.move_to(await dial_in(scene.profile.url))
        assert (await second.press("5")).status == 200
        await scene.pocket.api(f"uuid_kill {leg.uuid}")
        async with asyncio.timeout(5):
            await second.ended.wait()

    play(act)


def test_who_never_sends_sound_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freeswitch.pocket.media.CONNECTING_SECONDS", 0.3)

    async def act(scene: Scene) -> None:
        page = await scene.page("b-1")
        offer = (Path(__file__).parent / "chromium.sdp").read_text().replace("\n", "\r\n")
        assert (await page.call("join", offer)).status == 200
        async with asyncio.timeout(5):
            await page.ended.wait()
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == "MEDIA_TIMEOUT"

    play(act)


def test_each_few_seconds_it_is_told_what_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freeswitch.pocket.media.REPORT_SECONDS", 0.1)

    async def act(scene: Scene) -> None:
        _, leg = await scene.joined("b-1")
        await scene.pocket.until(lambda: len(scene.pocket.named("SEND_RTCP_MESSAGE")) > 1, "two reports")
        report = translate(msgspec.json.encode(scene.pocket.named("SEND_RTCP_MESSAGE")[-1]))
        assert isinstance(report, LegReport)
        assert (str(report.leg), report.fraction) == (leg.uuid, 0)
        assert report.jitter < 48_000

    play(act)


def test_who_does_not_encrypt_is_refused() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-1")
        plain = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n"
        for offer in (plain, "nonsense", ""):
            response = await page.call("join", offer)
            assert response.status == 488
        assert {event["Hangup-Cause"] for event in scene.pocket.named("CHANNEL_HANGUP_COMPLETE")} == {
            "INCOMPATIBLE_DESTINATION"
        }

    play(act)


def test_nothing_changes_within_a_call() -> None:
    async def act(scene: Scene) -> None:
        page, _ = await scene.joined("b-1")
        assert (await page.within("INVITE", [SDP], "v=0\r\n")).status == 488
        assert (await page.within("UPDATE")).status == 200, "a refreshed session timer"
        assert (await page.within("UPDATE", [SDP], "v=0\r\n")).status == 488
        assert scene.pocket.switch.legs

    play(act)


def test_a_locked_room_lets_no_caller_in() -> None:
    async def act(scene: Scene) -> None:
        await scene.joined("b-1")
        await scene.pocket.api("conference R lock")
        page = await scene.page("b-2")
        assert (await page.call("join")).status == 200
        async with asyncio.timeout(5):
            await page.ended.wait()
        assert len(scene.pocket.named("add-member")) == 1

    play(act)


# Who is called.


def test_a_registered_browser_is_called() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("8001", 500)
        await page.register()
        listener, _ = await scene.joined("b-1")
        call = scene.pocket.api(
            "originate {origination_uuid=6d5b1d5e-9c0a-4f43-8f6e-6a6c4a0a1a11,origination_caller_id_number=10086,"
            "rtp_secure_media=mandatory}sofia/internal/8001%pocket.test &conference(R@sparkle)"
        )
        calling = asyncio.create_task(call)
        invite = await page.ring()
        assert invite.address("From").uri.user == "10086"
        await scene.pocket.until(lambda: bool(scene.pocket.named("CHANNEL_PROGRESS")), "it rings")
        await page.pick_up(invite)
        assert await calling == "+OK 6d5b1d5e-9c0a-4f43-8f6e-6a6c4a0a1a11\n"
        await scene.hears(listener, {500})
        leg = scene.pocket.switch.legs["6d5b1d5e-9c0a-4f43-8f6e-6a6c4a0a1a11"]
        assert (leg.name, leg.direction, leg.secure) == ("sofia/internal/8001", "outbound", SECURE)
        await scene.pocket.api(f"uuid_kill {leg.uuid}")
        async with asyncio.timeout(5):
            await page.ended.wait()

    play(act)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(486, "USER_BUSY"), (603, "CALL_REJECTED"), (480, "NO_USER_RESPONSE"), (404, "UNALLOCATED_NUMBER")],
)
def test_a_browser_declines(status: int, cause: str) -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("8001")
        await page.register()
        calling = asyncio.create_task(scene.pocket.api("originate {}sofia/internal/8001%pocket.test &park()"))
        invite = await page.ring()
        await page.send(invite.answer(status, "No", tag="ours"))
        assert await calling == f"-ERR {cause}\n"
        async with asyncio.timeout(5):
            assert (await page.requests.get()).method == "ACK"
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == cause
        assert ended["variable_sip_hangup_disposition"] == "recv_refuse"
        assert ended["variable_sip_term_status"] == str(status)

    play(act)


def test_a_call_that_nobody_takes_is_taken_back() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("8001")
        await page.register()
        calling = asyncio.create_task(
            scene.pocket.api("originate {originate_timeout=1}sofia/internal/8001%pocket.test &park()")
        )
        invite = await page.ring()
        assert await calling == "-ERR NO_ANSWER\n"
        async with asyncio.timeout(5):
            cancel = await page.requests.get()
        assert (cancel.method, cancel.call_id) == ("CANCEL", invite.call_id)
        assert cancel.transaction[0] == invite.transaction[0]
        # It was picked up at the same moment: the switch has to end what it did not want.
        await page.pick_up(invite)
        async with asyncio.timeout(5):
            await page.ended.wait()

    play(act)


def test_who_has_left_is_not_called() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("8001")
        await page.register()
        await page.register(seconds=0)
        assert scene.profile.find("8001") is None

    play(act)
