"""The configuration of one FreeSWITCH node: the files of `freeswitch/conf/` and its own values. Pure but for the files.

Every value passes a whitelist: FreeSWITCH puts variables into its XML as they are and would expand `$${…}` in them.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from apps.core.files import private_write
from apps.switch.prompts import RecordingProblem, check_recordings, prepare_prompts
from apps.switch.speech import synthesise

SOURCE: Final = Path(__file__).resolve().parents[3] / "freeswitch" / "conf"
REHEARSAL: Final = SOURCE.parent / "rehearsal.xml"
"""The dialplan of the scripted people."""

EXEMPT_PROFILE: Final = Path("sip_profiles/trunk-exempt.xml")
PLACES: Final = ("conf", "certs", "db", "log", "run", "sounds", "temp")
"""The folders of a node, each as FreeSWITCH's option of that name."""

LOBBY_TONES: Final = "tone_stream://v=-24;%(700,300,523);%(900,6000,392);loops=-1"
"""What those who wait hear, unless there is a file for it."""


class InvalidConfiguration(ValueError):  # noqa: N818 - it names the value that is not right
    """`field` names a value that cannot be used; the text says what would be right."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What one node has of its own. `external_address` is what the Internet sees of it; `exempt_sip_port` may be none;
    `xml_ca_file` and `lobby_sound` are paths on the node; `recordings` is where an administrator's own prompts are."""

    name: str
    domain: str
    realm: str
    sip_address: str
    external_address: str
    sip_tls_port: int
    wss_port: int
    trunk_tls_port: int
    exempt_sip_port: int | None = None
    rtp_start_port: int
    rtp_end_port: int
    esl_port: int
    esl_password: str
    max_sessions: int
    sessions_per_second: int
    xml_url: str
    xml_password: str
    xml_ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    lobby_sound: str = LOBBY_TONES
    recordings: Path | None = None


def render_configuration(configuration: Configuration, home: Path, *, rehearsal: bool = False) -> Path:
    """Write the configuration below `home`, for its owner only; returns the folder for FreeSWITCH's `-conf`.

    The folder is replaced by one rename, so that a running node finds the old files or the new, never some of each; it
    reads them at its next start; prompts are used at once. `rehearsal` adds the scripted people. Raises
    InvalidConfiguration before anything is written.
    """
    variables = checked(configuration)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    for place in PLACES[1:]:
        (home / place).mkdir(mode=0o700, exist_ok=True)
    prepare_prompts(home / "sounds", configuration.recordings)
    fresh = Path(tempfile.mkdtemp(prefix="conf-", dir=home))
    shutil.copytree(SOURCE, fresh, dirs_exist_ok=True)
    if configuration.exempt_sip_port is None:
        (fresh / EXEMPT_PROFILE).unlink()
    if rehearsal:
        shutil.copy(REHEARSAL, fresh / "dialplan")
        (fresh / "speech").mkdir()
        synthesise("大家好，我们现在开始开会。请各位先看一下今天的议程。", "zh-CN", fresh / "speech" / "zh.wav")
    lines = [f'<X-PRE-PROCESS cmd="set" data="{name}={value}"/>' for name, value in variables.items()]
    private_write(fresh / "vars.xml", "\n".join(["<include>", *lines, "</include>\n"]))
    return _put_in_place(fresh, home / "conf")


def _put_in_place(fresh: Path, conf: Path) -> Path:
    """Let the link `conf` lead to the folder `fresh` beside it, and remove what it led to before."""
    if conf.is_dir() and not conf.is_symlink():
        shutil.rmtree(conf)
    link = fresh.with_name(f"{fresh.name}.link")
    link.symlink_to(fresh.name)
    link.replace(conf)
    for other in conf.parent.glob("conf-*"):
        if other.name != fresh.name:
            shutil.rmtree(other)
    return conf


def arguments(home: Path) -> list[str]:
    """FreeSWITCH's arguments for a node whose folders are in `home`: in the foreground, without NAT protocols."""
    return ["-np", "-nonat", "-nc", "-nf", *(part for name in PLACES for part in (f"-{name}", str(home / name)))]


_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECRET = re.compile(r"[A-Za-z0-9_.~+/=-]{16,256}")
_PATH = re.compile(r"(/[A-Za-z0-9_.-]{1,100}){1,20}")
_SOUND = re.compile(rf"{_PATH.pattern}|tone_stream://[a-z0-9=;%(),-]{{1,200}}")


def checked(configuration: Configuration) -> Mapping[str, str]:
    """The variables of the configuration. Raises InvalidConfiguration."""
    c = configuration
    ports = {
        "sip_tls_port": c.sip_tls_port,
        "wss_port": c.wss_port,
        "trunk_tls_port": c.trunk_tls_port,
        "exempt_sip_port": c.exempt_sip_port,
        "esl_port": c.esl_port,
        "rtp_start_port": c.rtp_start_port,
        "rtp_end_port": c.rtp_end_port,
    }
    used = [port for port in ports.values() if port is not None]
    for field, port in ports.items():
        if port is not None and not 1024 <= port <= 65535:
            raise InvalidConfiguration(field, "write a port from 1024 to 65535")
        if port is not None and used.count(port) > 1:
            raise InvalidConfiguration(field, "another of the ports has this number")
    if c.rtp_start_port > c.rtp_end_port:
        raise InvalidConfiguration("rtp_end_port", "it is before the first one")
    for field, number in (("max_sessions", c.max_sessions), ("sessions_per_second", c.sessions_per_second)):
        if not 1 <= number <= 1_000_000:
            raise InvalidConfiguration(field, "write a whole number from 1 to 1000000")
    try:
        check_recordings(c.recordings)
    except RecordingProblem as problem:
        raise InvalidConfiguration("recordings", str(problem)) from None
    return {
        "node_name": _matching("name", c.name, _NAME, "letters, digits and _ . -, at most 64"),
        "domain": _matching("domain", c.domain, _HOST, "a host name or an address"),
        "sip_realm": _matching("realm", c.realm, _NAME, "letters, digits and _ . -, at most 64"),
        "sip_ip": _address("sip_address", c.sip_address),
        "external_ip": _address("external_address", c.external_address),
        **{field: str(port) for field, port in ports.items() if port is not None},
        "esl_password": _secret("esl_password", c.esl_password),
        "max_sessions": str(c.max_sessions),
        "sessions_per_second": str(c.sessions_per_second),
        "xml_url": _url("xml_url", c.xml_url),
        "xml_password": _secret("xml_password", c.xml_password),
        "xml_ca_file": _matching("xml_ca_file", c.xml_ca_file, _PATH, "an absolute path of letters, digits and _ . -"),
        "lobby_sound": _matching("lobby_sound", c.lobby_sound, _SOUND, "an absolute path of letters, digits and _ . -"),
    }


def _matching(field: str, value: str, pattern: re.Pattern[str], why: str) -> str:
    if not pattern.fullmatch(value):
        raise InvalidConfiguration(field, why)
    return value


def _secret(field: str, value: str) -> str:
    return _matching(field, value, _SECRET, "16 to 256 letters, digits and _ . ~ + / = -")


def _address(field: str, value: str) -> str:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise InvalidConfiguration(field, "write an IPv4 address") from None
    if address.is_unspecified or address.is_multicast:
        raise InvalidConfiguration(field, "write the address of one interface")
    return str(address)


def _url(field: str, value: str) -> str:
    """Passwords' hashes go over it, and answers that let people in: this machine only, or https, whose certificate is
    verified (xml_curl.conf.xml)."""
    parts = urlsplit(value)
    plain = re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_.-]+)*", value)
    if not plain or not parts.hostname:
        raise InvalidConfiguration(field, "write https://HOST or http://127.0.0.1:PORT")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InvalidConfiguration(field, "write https: only this machine itself may be asked without")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
