"""A real FreeSWITCH on this machine: its configuration from `freeswitch/conf/`, its certificates, how it is run.

Like the other servers of `sparkle.local`: preparing is idempotent, running is the supervisor's part. Everything that
the switch reads or writes lies below one directory, readable by its owner only.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from apps.switch.speech import synthesise
from sparkle.local.certificates import prepare_certificates
from sparkle.local.embedded import remembered_port, remembered_secret
from sparkle.local.environment import ROOT, private_write
from sparkle.local.supervise import Kind, Program

CONF = ROOT / "freeswitch" / "conf"
# Where its own installation puts it.
_USUAL = Path("/usr/local/freeswitch/bin/freeswitch")
# Below the kernel's range for outgoing connections, and below the ports of the servers (`embedded.free_port`).
_RTP_PORTS = (10_000, 19_998)
_MAX_SESSIONS = 2000


@dataclass(frozen=True, slots=True)
class FreeSwitch:
    """A prepared FreeSWITCH: where it will answer, and how it is run.

    `directory_file` takes the SIP accounts; the switch reads it at start and on `reloadxml`. Phones trust `authority`.
    """

    esl_port: int
    esl_password: str
    sip_port: int
    domain: str
    authority: Path
    directory_file: Path
    program: Program

    def accounts_step(self) -> Program:
        """The step that writes the accounts of the extensions' table; it needs the migrated database."""
        return Program(
            name="accounts",
            command=[
                sys.executable,
                str(ROOT / "manage.py"),
                "switch_directory",
                str(self.directory_file),
                "--domain",
                self.domain,
            ],
            kind=Kind.STEP,
        )


def find_freeswitch() -> Path | None:
    """The `freeswitch` binary on PATH or where its own installation puts it, if there is one."""
    found = shutil.which("freeswitch")
    if found:
        return Path(found)
    return _USUAL if _USUAL.exists() else None


def prepare_freeswitch(directory: Path, binary: Path, *, address: str = "127.0.0.1") -> FreeSwitch:
    """Lay out the configuration below `directory`. `address` is what SIP and RTP bind to, and the SIP domain."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    conf = directory / "conf"
    places = {name: directory / name for name in ("conf", "log", "db", "run", "certs", "temp")}
    password = remembered_secret(directory / "esl-password")
    esl_port = remembered_port(directory / "esl-port")
    sip_port = remembered_port(directory / "sip-port")
    authority = prepare_certificates(places["certs"], [address, "localhost"])

    # Afresh at each start: the files are the repository's, but for the two that are written here.
    shutil.rmtree(conf, ignore_errors=True)
    shutil.copytree(CONF, conf)
    for place in places.values():
        place.mkdir(exist_ok=True)
    (conf / "directory").mkdir(exist_ok=True)
    # What the scripted people of the rehearsal say.
    (conf / "speech").mkdir()
    synthesise("大家好，我们现在开始开会。请各位先看一下今天的议程。", "zh-CN", conf / "speech" / "zh.wav")
    variables = {
        "domain": address,
        "sip_ip": address,
        "sip_tls_port": sip_port,
        "esl_port": esl_port,
        "esl_password": password,
        "rtp_start_port": _RTP_PORTS[0],
        "rtp_end_port": _RTP_PORTS[1],
        "max_sessions": _MAX_SESSIONS,
    }
    lines = [f'<X-PRE-PROCESS cmd="set" data="{name}={escape(str(value))}"/>' for name, value in variables.items()]
    private_write(conf / "vars.xml", "\n".join(["<include>", *lines, "</include>\n"]))

    command = [str(binary), "-np", "-nonat", "-nc", "-nf"]
    command += [part for name, place in places.items() for part in (f"-{name}", str(place))]
    return FreeSwitch(
        esl_port=esl_port,
        esl_password=password,
        sip_port=sip_port,
        domain=address,
        authority=authority,
        directory_file=conf / "directory" / "extensions.xml",
        program=Program(
            name="freeswitch",
            command=command,
            # The event socket opens before the SIP profile does.
            ready=lambda: _listens("127.0.0.1", esl_port) and _listens(address, sip_port),
        ),
    )


def _listens(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
        return True
    return False
