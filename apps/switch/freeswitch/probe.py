"""What a TLS port really offers, tried from outside: its certificate, and whether it takes what it must refuse."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import warnings
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

TIMEOUT = 5.0

#: Without forward secrecy, and without authenticated encryption.
_WEAK = "AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:@SECLEVEL=0"
_ANY = "ALL:@SECLEVEL=0"


@dataclass(frozen=True, slots=True)
class Served:
    """A certificate as it is served, and how the connection is encrypted."""

    names: frozenset[str]
    until: datetime
    version: str
    suite: str


def served(host: str, port: int) -> Served:
    """Raises OSError (ssl.SSLError is one)."""
    with _connected(host, port, _context()) as secure:
        der, agreed = secure.getpeercert(binary_form=True), secure.cipher()
        version = secure.version()
    if der is None or agreed is None:
        raise ssl.SSLError("no certificate")
    certificate = x509.load_der_x509_certificate(der)
    return Served(_names(certificate), certificate.not_valid_after_utc, version or "", agreed[0])


def takes_old_tls(host: str, port: int) -> bool:
    """Whether it speaks TLS 1.1 or older. Raises OSError when nothing listens."""
    context = _context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers(_ANY)
    return _agrees(host, port, context)


def takes_weak_suites(host: str, port: int) -> bool:
    """Whether it takes a suite of TLS 1.2 that it should not. Raises OSError when nothing listens."""
    context = _context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_WEAK)
    return _agrees(host, port, context)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # To look at it, whoever it is of: what it has to say is judged by the one who asks.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _agrees(host: str, port: int, context: ssl.SSLContext) -> bool:
    try:
        with _connected(host, port, context):
            return True
    except (ssl.SSLError, ConnectionResetError):
        return False


def _connected(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [
        each
        for each in found.get_values_for_type(x509.IPAddress)
        if isinstance(each, ipaddress.IPv4Address | ipaddress.IPv6Address)
    ]
    return frozenset([*found.get_values_for_type(x509.DNSName), *map(str, addresses)])


def is_named(host: str, names: frozenset[str]) -> bool:
    """Whether a certificate with `names` is one for `host`; `*.` stands for one label (RFC 6125 §6.4.3)."""
    return host in names or (not _is_address(host) and f"*.{host.partition('.')[2]}" in names)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
