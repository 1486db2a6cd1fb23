"""A private certificate authority and the certificates of one FreeSWITCH node; or real ones, put where they belong.

Phones are told to trust `cafile.pem`. All keys are readable by their owner only, and P-256 but for that of DTLS-SRTP:
FreeSWITCH replaces any of less than 4096 bits by one of its own, which everybody may read (switch_core_cert.c:374).

SIP over TLS serves only the first certificate of its file and finds the rest of the chain in `cafile.pem`
(tport_tls.c:351); WSS serves the chain of its own file (tport_type_ws.c:417). Both are read when a profile starts and
never again (tport_type_tls.c:245), and a profile that starts anew hangs up all its calls (sofia.c:3478): new ones are
served after a restart of FreeSWITCH, for which it waits until no call is on it (Node.restart_wanted). That of DTLS-SRTP
is read for each call.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apps.core.files import private_write

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397  # what phones and browsers accept at most
RENEW_DAYS = 30

# The names under which FreeSWITCH looks for them: SIP over TLS, WSS, DTLS-SRTP.
_SIP, _WSS, _DTLS = "agent.pem", "wss.pem", "dtls-srtp.pem"
_AUTHORITY, _AUTHORITY_KEY = "cafile.pem", "ca-key.pem"
# The folder of the profile for gateways (sip_profiles/trunk.xml).
_TRUNK = "trunk"
_AUTHORITY_NAME = "SparkleConference CA"
_DTLS_BITS = 4096

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class CertificateProblem(Exception):  # noqa: N818 - the text says what is wrong
    """Certificates cannot be made or put in place; the text says why."""


@dataclass(slots=True)
class Certificates:
    """What is there now: phones trust `authority`; `written` are new; `foreign` are somebody else's, left alone."""

    authority: Path
    written: list[Path] = field(default_factory=list)
    foreign: list[Path] = field(default_factory=list)


def prepare_certificates(
    directory: Path, hosts: Sequence[str], *, trust: Sequence[Path] = (), renew: bool = False
) -> Certificates:
    """Make what is missing, names another host, or expires within RENEW_DAYS (`renew`: all of ours).

    `hosts` are the names and addresses under which phones reach the node; gateways are believed by this authority and
    those in the `trust` files. Raises CertificateProblem.
    """
    for folder in (directory, directory / _TRUNK):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = Certificates(directory / _AUTHORITY)
    key_file = directory / _AUTHORITY_KEY
    if not key_file.exists() or not _holds(found.authority, ()):
        fresh = _new_key()
        private_write(key_file, _private_pem(fresh))
        private_write(found.authority, _pem(_authority(fresh)))
        found.written.append(found.authority)
        renew = True
    authority = _certificate(found.authority)
    authority_key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise CertificateProblem(f"{key_file}: not a key of this program")
    for name in (_SIP, _WSS, _DTLS):
        file = directory / name
        if file.exists() and not _is_ours(file):
            found.foreign.append(file)
        elif renew or not _holds(file, hosts):
            key: _Key = _new_key() if name != _DTLS else rsa.generate_private_key(65537, _DTLS_BITS)
            chain = [_server(key, hosts, authority, authority_key), authority]
            private_write(file, "".join(map(_pem, chain)) + _private_pem(key))
            found.written.append(file)
    _prepare_trunk(directory, trust)
    return found


def install_certificates(directory: Path, chain: Path, key: Path, *, trust: Sequence[Path] = ()) -> Certificates:
    """Put a real certificate (`chain`: with those between it and the root) and its key in place of ours.

    Raises CertificateProblem; nothing is written then.
    """
    certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateProblem(f"{key}: write an RSA or an elliptic curve key")
    if certificates[0].public_key() != private.public_key():
        raise CertificateProblem(f"{key} is not the key of the first certificate in {chain}")
    authority = directory / _AUTHORITY
    if not authority.exists():
        raise CertificateProblem(f"{directory} holds no certificates yet: make them first")
    text = "".join(map(_pem, certificates)) + _private_pem(private)
    found = Certificates(authority, [directory / _SIP, directory / _WSS, authority])
    private_write(authority, _pem(_certificate(authority)) + "".join(map(_pem, certificates[1:])))
    private_write(directory / _SIP, text)
    private_write(directory / _WSS, text)
    _prepare_trunk(directory, trust)
    return found


def _prepare_trunk(directory: Path, trust: Sequence[Path]) -> None:
    believed = [file.read_text(encoding="utf-8") for file in (directory / _AUTHORITY, *trust)]
    private_write(directory / _TRUNK / _AUTHORITY, "\n".join(believed))
    private_write(directory / _TRUNK / _SIP, (directory / _SIP).read_text(encoding="utf-8"))


def _holds(file: Path, hosts: Sequence[str]) -> bool:
    """Whether the certificate is there, lasts, and is for all of `hosts`."""
    if not file.exists():
        return False
    certificate = _certificate(file)
    if certificate.not_valid_after_utc - _now() < datetime.timedelta(days=RENEW_DAYS):
        return False
    if not hosts:
        return True
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return all(general_name(host) in names for host in hosts)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name(f"{_AUTHORITY_NAME} {os.uname().nodename}")
    return (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: _Key,
    hosts: Sequence[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    return (
        _builder(_name(hosts[0]), authority.subject, key, CERTIFICATE_DAYS)
        .add_extension(x509.SubjectAlternativeName([general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        # Both: the switch also calls other servers, which may ask who it is.
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: _Key, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # An hour back, for phones whose clock is behind.
        .not_valid_before(_now() - datetime.timedelta(hours=1))
        .not_valid_after(_now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _certificate(file: Path) -> x509.Certificate:
    """The first of a file."""
    return x509.load_pem_x509_certificate(file.read_bytes())


def _is_ours(file: Path) -> bool:
    return _AUTHORITY_NAME in _certificate(file).issuer.rfc4514_string()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private_pem(key: _Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
