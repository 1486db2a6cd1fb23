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


def handshake(switch: FreeSwitch, version: ssl.TLSVersion, ciphers: str) -> str:
    """The cipher suite agreed on. The certificate has to be the authority's, for the switch's address."""
    context = ssl.create_default_context(cafile=str(switch.authority))
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    with (
        socket.create_connection((switch.domain, switch.sip_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=switch.domain) as secure,
    ):
        agreed = secure.cipher()
        assert agreed is not None
        return agreed[0]


def test_only_the_event_socket_and_sip_over_tls_are_open(freeswitch: tuple[FreeSwitch, int]) -> None:
    switch, pid = freeswitch
    assert open_sockets(pid) == {("tcp", "127.0.0.1", switch.esl_port), ("tcp", "127.0.0.1", switch.sip_port)}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on_with_authenticated_encryption(switch: FreeSwitch, version: ssl.TLSVersion) -> None:
    assert "GCM" in handshake(switch, version, "ALL:@SECLEVEL=0")


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"),  # CBC
        (ssl.TLSVersion.TLSv1_2, "AES256-GCM-SHA384:@SECLEVEL=0"),  # without forward secrecy
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_tls_and_weak_ciphers_are_refused(switch: FreeSwitch, version: ssl.TLSVersion, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)) as refusal:
        handshake(switch, version, ciphers)
    assert "CERTIFICATE" not in str(refusal.value)


def test_secrets_are_for_the_owner_only(switch: FreeSwitch) -> None:
    """Also after FreeSWITCH has started: it replaces a certificate that it does not like by a readable one."""
    home = switch.authority.parent.parent
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    certificates = list(switch.authority.parent.iterdir())
    assert sorted(file.name for file in certificates) == [
        *("agent.pem", "ca-key.pem", "cafile.pem", "dtls-srtp.pem", "wss.pem"),
    ]
    for file in (*certificates, home / "conf" / "vars.xml", home / "esl-password"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_no_api_can_be_run_from_a_value(esl: Esl) -> None:
    assert esl.api("eval ${md5(a)}") == "<API execute Permission Denied>"
