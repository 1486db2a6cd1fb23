"""Which switch the installation uses, and how to reach it.

`SPARKLE_ESL_URL=esl://:password@host:port` names a node that runs already; nothing is started then. Otherwise
`SPARKLE_SWITCH` chooses: `freeswitch`, `pocket`, `none`, or `auto` (FreeSWITCH where it is installed, else pocket).
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sparkle.env import envstr
from sparkle.local.embedded import remembered_port, remembered_secret
from sparkle.local.freeswitch import find_freeswitch, prepare_freeswitch
from sparkle.local.supervise import Kind, Program, StartError

_CHOICES = ("auto", "pocket", "freeswitch", "none")
# The node of the demonstration, whose people are scripted.
_RENDER = ("--node", "local", "--rehearsal")


@dataclass(frozen=True, slots=True)
class Switch:
    """`description` is for people; `environment` is what the other processes are told; no program: not ours to run.

    `configure` is a step that needs the prepared database and that the program needs.
    """

    description: str
    environment: dict[str, str]
    program: Program | None = None
    configure: Program | None = None


def choose_switch(var: Path, xml_url: str) -> Switch:
    """`xml_url` is where a switch asks the control plane. Raises StartError when the choice cannot be met."""
    url = os.environ.get("SPARKLE_ESL_URL")
    if url:
        return _existing(url)
    choice = os.environ.get("SPARKLE_SWITCH", "auto")
    if choice not in _CHOICES:
        raise StartError(f"SPARKLE_SWITCH={choice!r}: write one of {', '.join(_CHOICES)}")
    if choice == "none":
        return Switch(
            description="none (SPARKLE_SWITCH=none): nobody can be called · 未使用交换机，无法呼叫", environment={}
        )
    binary = find_freeswitch()
    if choice == "freeswitch" and binary is None:
        raise StartError("SPARKLE_SWITCH=freeswitch: there is no freeswitch on PATH or in /usr/local/freeswitch/bin")
    if choice == "pocket" or binary is None:
        return _pocket(var / "switch", xml_url)
    return _freeswitch(var / "freeswitch", binary)


def _existing(url: str) -> Switch:
    parts = urlsplit(url)
    if parts.scheme != "esl" or not parts.hostname or not parts.password:
        raise StartError("SPARKLE_ESL_URL: write esl://:password@host:port")
    host, port = parts.hostname, parts.port or 8021
    return Switch(
        description=f"the node at {host}:{port} (SPARKLE_ESL_URL)",
        environment=_told(host, port, unquote(parts.password)),
    )


def _freeswitch(directory: Path, binary: Path) -> Switch:
    switch = prepare_freeswitch(directory, binary)
    return Switch(
        description=f"FreeSWITCH ({binary}); phones: {switch.domain}:{switch.sip_port}, TLS and SRTP, CA in "
        f"{switch.authority}\n"
        f"  browsers · 浏览器 open once, trust · 先打开并信任一次  https://{switch.domain}:{switch.wss_port}/",
        environment={
            **_told("127.0.0.1", switch.esl_port, switch.esl_password),
            "SPARKLE_SIP_TLS_PORT": str(switch.sip_port),
            "SPARKLE_WSS_PORT": str(switch.wss_port),
            "SPARKLE_TRUNK_TLS_PORT": str(switch.trunk_port),
            "SPARKLE_SIP_CA_FILE": str(switch.authority),
        },
        program=switch.program,
        configure=Program(
            name="configure",
            command=[sys.executable, "manage.py", "freeswitch", "render", str(directory), *_RENDER],
            kind=Kind.STEP,
        ),
    )


def _pocket(directory: Path, xml_url: str) -> Switch:
    directory.mkdir(parents=True, exist_ok=True)
    port, sip_port = remembered_port(directory / "port"), remembered_port(directory / "sip-port")
    password, xml_password = (remembered_secret(directory / name) for name in ("password", "xml-password"))
    command = [sys.executable, "-m", "freeswitch.pocket", "--esl-port", str(port)]
    command += ["--password-file", str(directory / "password"), "--data", str(directory)]
    command += ["--recordings", str(Path(envstr("SPARKLE_SOUNDS_DIR", str(directory.parent / "sounds"))) / "custom")]
    command += ["--xml-url", f"{xml_url}/switch/xml", "--xml-name", envstr("SPARKLE_NODE_NAME", "local")]
    command += ["--xml-password-file", str(directory / "xml-password"), "--sip-port", str(sip_port)]
    lobby = Path(envstr("SPARKLE_SOUNDS_DIR", str(directory.parent / "sounds"))) / "custom" / "lobby.wav"
    if lobby.exists():
        command += ["--lobby-sound", str(lobby)]
    return Switch(
        description="the pocket switch, a stand-in for development and rehearsal · 开发演练用的替身交换机",
        environment={
            **_told("127.0.0.1", port, password),
            "SPARKLE_XML_PASSWORD": xml_password,
            # Browsers take this machine for a secure place without TLS.
            "SPARKLE_BROWSER_ADDRESS": f"ws://127.0.0.1:{sip_port}",
        },
        program=Program(
            name="switch",
            command=command,
            ready=lambda: greets("127.0.0.1", port),
        ),
    )


def _told(host: str, port: int, password: str) -> dict[str, str]:
    return {"SPARKLE_ESL_HOST": host, "SPARKLE_ESL_PORT": str(port), "SPARKLE_ESL_PASSWORD": password}


def greets(host: str, port: int) -> bool:
    """Whether an event socket asks for the password (mod_event_socket.c, listener_run)."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            greeting = b""
            while not greeting.endswith(b"\n\n"):
                part = connection.recv(1024)
                if not part:
                    return False
                greeting += part
            return b"Content-Type: auth/request" in greeting
    except OSError:
        return False
