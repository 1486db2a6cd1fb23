"""A running node against what it should be. It is asked and tried, and nothing is changed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from xml.etree import ElementTree as ET

from apps.switch import srtp
from apps.switch.esl.connection import CommandConnection, Disconnected
from apps.switch.esl.rendering import Question
from apps.switch.gateway_status import UnreadableStatus, read_gateways, read_profiles
from apps.switch.models import Gateway, Node
from apps.switch.xml.gateways import trunks_of

from . import probe
from .nodes import configuration
from .render import SOURCE, Configuration, InvalidConfiguration, checked

CLOCK_LIMIT = 0.05
"""Seconds: what the reckoning with events of the switch takes for granted (apps/conferences/reconcile)."""

EXPIRY_LIMIT = timedelta(days=14)

CODECS = "OPUS@16000h,G722,PCMA,PCMU"
OLDEST = (1, 10)


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.found == self.expected

    def as_dict(self) -> dict[str, object]:
        return {"what": self.what, "expected": self.expected, "found": self.found, "ok": self.ok}


def check(node: Node) -> list[Finding]:
    """All findings, good and bad. A node that does not answer has one bad one."""
    expected = configuration(node)
    found = [_values(expected)]
    connection = CommandConnection(node.esl_host, node.esl_port, node.esl_password)
    try:
        connection.connect()
        began = time.time()
        clock = connection.ask([Question.CLOCK])[0]
        ended = time.time()
        answers = dict(zip(Question, connection.ask(list(Question)), strict=True))
        trunks = list(trunks_of(node))
        networks = [IPv4Network(network) for trunk in trunks for network in trunk.networks]
        let_in = connection.may_call([network.network_address for network in networks])
    except Disconnected as error:
        return [*found, Finding("event socket", "answers", str(error))]
    finally:
        connection.stop()
    found += [Finding("event socket", "answers", "answers"), _clock(clock, began, ended)]
    found += judged(expected, answers)
    found += _gateways(trunks, answers[Question.GATEWAYS])
    found.append(Finding("addresses of gateways", "let in", "let in" if let_in else "refused"))
    host = node.sip_address
    found += _tried("phones", host, expected.sip_tls_port, expected.domain, own_suites=True)
    found += _tried("browsers", host, expected.wss_port, expected.domain, own_suites=False)
    found += _tried("gateways", host, expected.trunk_tls_port, expected.domain, own_suites=True)
    return found


def _values(expected: Configuration) -> Finding:
    """What is written for the node, its own prompts too: whether `render` would take it."""
    try:
        checked(expected)
    except InvalidConfiguration as error:
        return Finding("values", "valid", str(error))
    return Finding("values", "valid", "valid")


def _clock(answer: str, began: float, ended: float) -> Finding:
    """Of the switch against ours. The answer was made at some time between the two."""
    expected = f"within {CLOCK_LIMIT * 1000:.0f} ms"
    if not answer.isdigit():
        return Finding("clock", expected, "no time")
    theirs = int(answer) / 1_000_000
    off = max(began - theirs, theirs - ended, 0.0)
    return Finding("clock", expected, expected if off <= CLOCK_LIMIT else f"{off * 1000:.0f} ms off")


def judged(expected: Configuration, answers: Mapping[Question, str]) -> Iterator[Finding]:
    """What the answers say. One that cannot be read says nothing, which is a bad finding."""
    version = re.search(r"(\d+)\.(\d+)", answers[Question.VERSION])
    recent = version is not None and (int(version[1]), int(version[2])) >= OLDEST
    yield Finding("version", "1.10 or later", "1.10 or later" if recent else version[0] if version else "")
    for what, question, number in (
        ("most sessions", Question.MAX_SESSIONS, expected.max_sessions),
        ("sessions a second", Question.SESSIONS_PER_SECOND, expected.sessions_per_second),
    ):
        yield Finding(what, str(number), answers[question].rpartition(": ")[2])
    yield Finding("API in variables", "off", answers[Question.API_EXPANSION].strip().rpartition(" ")[2])
    yield Finding("encryption", srtp.MANDATORY, answers[Question.SECURE_MEDIA])
    yield _several("modules", _wanted_modules(), _modules(answers[Question.MODULES]))
    ports = {f"{expected.rtp_start_port}-{expected.rtp_end_port}"}
    yield _several("media ports", ports, _media_ports(answers[Question.CORE]))
    wanted = (SOURCE / "autoload_configs" / "conference.conf.xml").read_text(encoding="utf-8")
    yield _several("room profiles", _rooms(wanted), _rooms(answers[Question.ROOMS]))
    yield _several("keys in rooms", _keys(wanted), _keys(answers[Question.ROOMS]))

    profiles = {
        "internal": (Question.INTERNAL, {f"tls:{expected.sip_tls_port}", f"wss:{expected.wss_port}"}),
        "trunk": (Question.TRUNK, {f"tls:{expected.trunk_tls_port}"}),
    }
    if expected.exempt_sip_port is not None:
        profiles["trunk-exempt"] = (Question.TRUNK_EXEMPT, {f"udp,tcp:{expected.exempt_sip_port}"})
    yield _several("SIP profiles running", profiles, read_profiles(answers[Question.PROFILES]))
    for name, (question, listening) in profiles.items():
        facts = {each.tag: each.text or "" for each in _elements(answers[question], "profile-info/*")}
        yield _several(f"{name}: ports", listening, _listening(facts))
        for what, tag, right in (
            ("address", "sip-ip", expected.sip_address),
            ("external address", "ext-sip-ip", expected.external_address),
            ("external media address", "ext-rtp-ip", expected.external_address),
            ("realm", "challenge-realm", expected.realm),
            ("context", "context", "public"),
            ("late negotiation", "late-neg", "true"),
            ("codecs in", "inbound-codecs", CODECS),
            ("codecs out", "outbound-codecs", CODECS),
        ):
            yield Finding(f"{name}: {what}", right, facts.get(tag, ""))
    reached = answers[Question.CONTROL_PLANE].strip() == "true"
    yield Finding("asks the control plane", "answered", "answered" if reached else "not answered")


def _gateways(trunks: Iterable[Gateway], answer: str) -> Iterator[Finding]:
    """Those of the database and no others, each up. One from before a change may stay as long as its calls."""
    try:
        sightings = read_gateways(answer)
    except UnreadableStatus:
        sightings = []
    wanted = {f"{trunk.profile}:{trunk.switch_name}": trunk for trunk in trunks}
    keys = {trunk.switch_name.rpartition("-")[0] for trunk in wanted.values()}
    seen = {f"{each.profile}:{each.name}": each for each in sightings}
    others = {name for name, each in seen.items() if each.name.rpartition("-")[0] not in keys}
    yield _several("gateways", wanted, (wanted.keys() & seen.keys()) | others)
    for name, trunk in wanted.items():
        state = f"down ({seen[name].state})" if name in seen and not seen[name].up else "up"
        yield Finding(f"gateway {trunk.name}", "up", state if name in seen else "not there")


def _tried(who: str, host: str, port: int, domain: str, *, own_suites: bool) -> Iterator[Finding]:
    """A TLS port, from here. `own_suites`: those of WebSockets are FreeSWITCH's choice and not ours."""
    try:
        served = probe.served(host, port)
        old = probe.takes_old_tls(host, port)
        weak = own_suites and probe.takes_weak_suites(host, port)
    except OSError as error:
        yield Finding(f"port for {who}", "TLS", error.strerror or type(error).__name__)
        return
    yield Finding(f"port for {who}", "TLS", "TLS")
    yield Finding(f"port for {who}: TLS before 1.2", "refused", "taken" if old else "refused")
    if own_suites:
        yield Finding(f"port for {who}: weak suites", "refused", "taken" if weak else "refused")
    named = domain if probe.is_named(domain, served.names) else " ".join(sorted(served.names))
    yield Finding(f"port for {who}: certificate for", domain, named)
    lasts = f"more than {EXPIRY_LIMIT.days} days"
    left = served.until - datetime.now(UTC)
    yield Finding(f"port for {who}: certificate lasts", lasts, lasts if left > EXPIRY_LIMIT else f"{left.days} days")


def _several(what: str, expected: Iterable[str], found: Iterable[str]) -> Finding:
    return Finding(what, " ".join(sorted(expected)), " ".join(sorted(found)))


def _elements(text: str, path: str) -> list[ET.Element]:
    try:
        return ET.fromstring(text).findall(path)  # noqa: S314 - the switch's own words
    except ET.ParseError:
        return []


def _modules(answer: str) -> set[str]:
    """Those that are loaded; what the core brings along is not among them."""
    try:
        return {row["ikey"] for row in json.loads(answer)["rows"] if row["ikey"].startswith("mod_")}
    except (ValueError, KeyError, TypeError):
        return set()


def _wanted_modules() -> set[str]:
    text = (SOURCE / "autoload_configs" / "modules.conf.xml").read_text(encoding="utf-8")
    return {load.attrib["module"] for load in _elements(text, "modules/load")}


def _media_ports(answer: str) -> set[str]:
    core = {param.get("name"): param.get("value") for param in _elements(answer, "settings/param")}
    return {f"{core.get('rtp-start-port')}-{core.get('rtp-end-port')}"}


def _rooms(text: str) -> set[str]:
    """Each profile of rooms with its rate."""
    return {
        f"{profile.get('name')}:{param.get('value')}"
        for profile in _elements(text, "profiles/profile")
        for param in profile.findall("param[@name='rate']")
    }


def _keys(text: str) -> set[str]:
    """Those of a telephone that it tells."""
    return {control.get("digits", "") for control in _elements(text, "caller-controls/group/control")}


def _listening(facts: Mapping[str, str]) -> set[str]:
    """A transport and a port for each of a profile's addresses."""
    tags = {"bind-url": "udp,tcp", "tls-bind-url": "tls", "ws-bind-url": "ws", "wss-bind-url": "wss"}
    ports = {transport: re.search(r":(\d+)(;|$)", facts[tag]) for tag, transport in tags.items() if tag in facts}
    return {f"{transport}:{port[1] if port else '?'}" for transport, port in ports.items()}
