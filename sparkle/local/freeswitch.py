"""A real FreeSWITCH on this machine: its ports and secrets, its certificates, how it is run.

Like the other servers of `sparkle.local`: preparing is idempotent, running is the supervisor's part. Everything that
the switch reads or writes lies below one directory, readable by its owner only. Its configuration is written by
`manage.py freeswitch render`, from the row of its node.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from apps.switch.freeswitch.certificates import prepare_certificates
from apps.switch.freeswitch.render import arguments
from sparkle.local.embedded import remembered_port, remembered_secret
from sparkle.local.supervise import Program

# Where its own installation puts it.
_USUAL = Path("/usr/local/freeswitch/bin/freeswitch")


@dataclass(frozen=True, slots=True)
class FreeSwitch:
    """A prepared FreeSWITCH: where it will answer, and how it is run. Phones trust `authority`."""

    home: Path
    esl_port: int
    esl_password: str
    sip_port: int
    wss_port: int
    trunk_port: int
    domain: str
    authority: Path
    program: Program


def find_freeswitch() -> Path | None:
    """The `freeswitch` binary on PATH or where its own installation puts it, if there is one."""
    found = shutil.which("freeswitch")
    if found:
        return Path(found)
    return _USUAL if _USUAL.exists() else None


def prepare_freeswitch(home: Path, binary: Path, *, address: str = "127.0.0.1") -> FreeSwitch:
    """Choose ports and secrets and make certificates. `address` is what SIP and RTP bind to, and the SIP domain."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    esl_port, sip_port, wss_port, trunk_port = (
        remembered_port(home / f"{name}-port") for name in ("esl", "sip", "wss", "trunk")
    )
    return FreeSwitch(
        home=home,
        esl_port=esl_port,
        esl_password=remembered_secret(home / "esl-password"),
        sip_port=sip_port,
        wss_port=wss_port,
        trunk_port=trunk_port,
        domain=address,
        authority=prepare_certificates(home / "certs", [address, "localhost"]).authority,
        program=Program(
            name="freeswitch",
            command=[str(binary), *arguments(home)],
            # The event socket opens before the SIP profiles do.
            ready=lambda: all(
                _listens(host, port)
                for host, port in (
                    ("127.0.0.1", esl_port),
                    (address, sip_port),
                    (address, wss_port),
                    (address, trunk_port),
                )
            ),
        ),
    )


def _listens(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
        return True
    return False
