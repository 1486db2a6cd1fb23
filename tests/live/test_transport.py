"""What a FreeSWITCH with our configuration opens, accepts and leaves on the disk."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path

import pytest

from sparkle.local.freeswitch import FreeSwitch
from tests.live.switch import Esl

LISTENING = "0A"  # linux/tcp_states.h


def open_sockets(pid: int) -> set[tuple[str, str, int]]:
    """Protocol, address and port of the UDP and the listening TCP sockets of a process (proc(5))."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            local, state, inode = fields[1], fields[3], fields[9]
            if f"socket:[{inode}]" in inodes and (protocol.startswith("udp") or state == LISTENING):
                address, port = local.split(":")
                text = socket.inet_ntoa(bytes.fromhex(address)[::-1]) if len(address) == 8 else address
                found.add((protocol, text, int(port, 16)))
    return found


def handshake(switch: FreeSwitch, port: int, version: ssl.TLSVersion, ciphers: str) -> str:
    """The cipher suite agreed on. The certificate has to be the authority's, for the switch's address."""
    context = ssl.create_default_context(cafile=str(switch.authority))
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    with (
        socket.create_connection((switch.domain, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=switch.domain) as secure,
    ):
        agreed = secure.cipher()
        assert agreed is not None
        return agreed[0]


@pytest.fixture(params=["phones", "browsers", "gateways"])
def port(request: pytest.FixtureRequest, switch: FreeSwitch) -> int:
    return {"phones": switch.sip_port, "browsers": switch.wss_port, "gateways": switch.trunk_port}[request.param]


def test_only_the_event_socket_and_sip_over_tls_are_open(freeswitch: tuple[FreeSwitch, int]) -> None:
    switch, pid = freeswitch
    ports = {switch.esl_port, switch.sip_port, switch.wss_port, switch.trunk_port}
    assert open_sockets(pid) == {("tcp", "127.0.0.1", port) for port in ports}


OPTIONS = (
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)


@pytest.mark.parametrize("words", [OPTIONS, WEBSOCKET], ids=["tcp", "ws"])
def test_who_does_not_encrypt_the_signalling_is_not_answered(switch: FreeSwitch, port: int, words: bytes) -> None:
    with socket.create_connection((switch.domain, port), timeout=10) as plain:
        plain.sendall(words)
        try:
            answer = plain.recv(4096)
        except ConnectionResetError:
            answer = b""
    assert b"SIP/2.0" not in answer
    assert b"HTTP/1.1 101" not in answer


def test_nothing_listens_to_udp(switch: FreeSwitch, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.settimeout(10)
        plain.connect((switch.domain, port))
        plain.send(OPTIONS)
        with pytest.raises(ConnectionRefusedError):
            plain.recv(4096)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on_with_authenticated_encryption(switch: FreeSwitch, port: int, version: ssl.TLSVersion) -> None:
    assert "GCM" in handshake(switch, port, version, "ALL:@SECLEVEL=0")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_tls_is_refused(switch: FreeSwitch, port: int, version: ssl.TLSVersion) -> None:
    refused(switch, port, version, "ALL:@SECLEVEL=0")


@pytest.mark.parametrize(
    "cipher",
    [
        "ECDHE-ECDSA-AES256-SHA384",  # CBC
        "AES256-GCM-SHA384",  # without forward secrecy
    ],
)
def test_weak_ciphers_are_refused(switch: FreeSwitch, cipher: str) -> None:
    """Where the suites are ours to choose: not for WebSockets."""
    for port in (switch.sip_port, switch.trunk_port):
        refused(switch, port, ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0")


def refused(switch: FreeSwitch, port: int, version: ssl.TLSVersion, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)) as refusal:
        handshake(switch, port, version, ciphers)
    assert "CERTIFICATE" not in str(refusal.value)


def test_secrets_are_for_the_owner_only(switch: FreeSwitch) -> None:
    """Also after FreeSWITCH has started: it replaces a certificate that it does not like by a readable one."""
    home = switch.authority.parent.parent
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    certificates = [file for file in switch.authority.parent.rglob("*") if file.is_file()]
    assert sorted(str(file.relative_to(switch.authority.parent)) for file in certificates) == [
        *("agent.pem", "ca-key.pem", "cafile.pem", "dtls-srtp.pem", "trunk/agent.pem", "trunk/cafile.pem", "wss.pem"),
    ]
    assert stat.S_IMODE((home / "log").stat().st_mode) == 0o700  # where FreeSWITCH writes all its configuration
    for file in (*certificates, home / "conf" / "vars.xml", home / "esl-password"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_no_api_can_be_run_from_a_value(esl: Esl) -> None:
    assert esl.api("eval ${md5(a)}") == "<API execute Permission Denied>"
