"""Who may register and call: the digest of a request against the directory of the control plane (sofia_reg.c)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from ..events import EventBus
from ..xml_curl import XmlCurl
from .digest import Credentials, CredentialsError, Nonces, challenge
from .messages import Request, Response, Uri
from .transport import Peer

log = logging.getLogger(__name__)

PROFILE: Final = "internal"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has proved to be `name`, and the variables that the directory gives their calls."""

    name: str
    variables: dict[str, str]


class Authenticator:
    """`domain` is whose users they are; `realm` is what the directory's a1-hashes were made with."""

    def __init__(self, xml: XmlCurl, bus: EventBus, domain: str, realm: str) -> None:
        self._xml = xml
        self._bus = bus
        self._domain = domain
        self._realm = realm
        self._nonces = Nonces()

    async def admit(self, request: Request, peer: Peer) -> Account | Response:
        """The account of whoever sends `request`, or the answer that refuses it."""
        header = request.get("Authorization" if request.method == "REGISTER" else "Proxy-Authorization")
        if header is None:
            return self._challenge(request, stale=False)
        try:
            credentials = Credentials.parse(header)
        except CredentialsError as error:
            log.warning("%s from %s: its digest %s", request.method, peer.host, error)
            return self._challenge(request, stale=False)
        if not self._nonces.accept(credentials):
            return self._challenge(request, stale=True)
        account = None
        if credentials.realm == self._realm and credentials.uri == str(request.uri) and _own(request, credentials):
            account = await self._look_up(request, credentials, peer)
        if account is None:
            self._tell_of_failure(request, peer)
            return request.answer(403, "Forbidden")
        return account

    def _challenge(self, request: Request, *, stale: bool) -> Response:
        text = challenge(self._realm, self._nonces.new(), stale=stale)
        if request.method == "REGISTER":
            return request.answer(401, "Unauthorized", [("WWW-Authenticate", text)])
        return request.answer(407, "Proxy Authentication Required", [("Proxy-Authenticate", text)])

    async def _look_up(self, request: Request, credentials: Credentials, peer: Peer) -> Account | None:
        parameters = self._bus.request_parameters() | _question(request, credentials, peer)
        about = {"key": "id", "user": credentials.username, "domain": self._domain, "ip": peer.host}
        section = await self._xml.ask("directory", parameters | about, "domain", "name", self._domain)
        user = None if section is None else _find_user(section, self._domain, credentials.username)
        if user is None:
            return None
        a1_hash = next((p.get("value") for p in user.iterfind("params/param") if p.get("name") == "a1-hash"), None)
        if not a1_hash or not credentials.prove(a1_hash, request.method):
            return None
        variables = {v.get("name", ""): v.get("value", "") for v in user.iterfind("variables/variable")}
        known = {
            "sip_number_alias": credentials.username,
            "sip_auth_username": credentials.username,
            "sip_auth_realm": credentials.realm,
            "number_alias": credentials.username,
            "user_name": credentials.username,
            "domain_name": self._domain,
        }
        return Account(credentials.username, known | {name: value for name, value in variables.items() if name})

    def _tell_of_failure(self, request: Request, peer: Peer) -> None:
        to = request.address("To").uri
        self._bus.fire(
            "CUSTOM",
            {
                "profile-name": PROFILE,
                "to-user": to.user,
                "to-host": to.host,
                "network-ip": peer.host,
                "user-agent": request.get("User-Agent") or "unknown",
                "network-port": str(peer.port),
                "registration-type": "REGISTER" if request.method == "REGISTER" else "INVITE",
            },
            subclass="sofia::register_failure",
        )


def _own(request: Request, credentials: Credentials) -> bool:
    """Only oneself may be registered (inbound-reg-force-matching-username)."""
    return request.method != "REGISTER" or request.address("To").uri.user == credentials.username


def _find_user(section: ET.Element, domain: str, name: str) -> ET.Element | None:
    for found in section.iterfind("domain"):
        if found.get("name") == domain:
            return next((user for user in found.iter("user") if user.get("id") == name), None)
    return None


def _question(request: Request, credentials: Credentials, peer: Peer) -> dict[str, str]:
    """What sofia_reg_parse_auth tells of a request."""
    from_, to = request.address("From").uri, request.address("To").uri
    question = {
        "action": "sip_auth",
        "sip_profile": PROFILE,
        "sip_user_agent": request.get("User-Agent") or "unknown",
        "sip_auth_username": credentials.username,
        "sip_auth_realm": credentials.realm,
        "sip_auth_nonce": credentials.nonce,
        "sip_auth_uri": credentials.uri,
        **_uri("contact", _contact(request)),
        **_uri("to", to),
        "sip_via_protocol": peer.protocol,
        **_uri("from", from_),
        "sip_call_id": request.call_id,
        **_uri("request", request.uri),
        "sip_auth_qop": credentials.qop,
        "sip_auth_cnonce": credentials.cnonce,
        "sip_auth_nc": credentials.nc,
        "sip_auth_response": credentials.response,
        "sip_auth_method": request.method,
        "client_port": str(peer.port),
    }
    return {name: value for name, value in question.items() if value}


def _contact(request: Request) -> Uri | None:
    contact = request.get("Contact")
    return None if contact in (None, "*") else request.address("Contact").uri


def _uri(which: str, uri: Uri | None) -> dict[str, str]:
    if uri is None:
        return {}
    return {f"sip_{which}_user": uri.user, f"sip_{which}_host": uri.host, f"sip_{which}_port": uri.port}
