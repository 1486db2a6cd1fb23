"""A private certificate authority and the certificates of one FreeSWITCH, for one machine or one house.

Phones are told to trust `cafile.pem`. All keys are readable by their owner only, and P-256 but for that of DTLS-SRTP:
FreeSWITCH replaces any of less than 4096 bits by one of its own, which everybody may read (switch_core_cert.c:374).
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sparkle.local.environment import private_write

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397  # what phones and browsers accept at most
RENEW_DAYS = 30

# The names under which FreeSWITCH looks for them: SIP over TLS, WSS, DTLS-SRTP.
_SERVER_FILES = ("agent.pem", "wss.pem", "dtls-srtp.pem")
_DTLS_BITS = 4096

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def prepare_certificates(directory: Path, hosts: Sequence[str]) -> Path:
    """Make what is missing, names another host, or expires within RENEW_DAYS; returns the authority's certificate.

    `hosts` are the names and addresses under which phones reach the switch.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_file = directory / "cafile.pem"
    key_file = directory / "ca-key.pem"
    if not key_file.exists() or not _holds(authority_file, ()):
        fresh = _new_key()
        private_write(key_file, _pem(fresh))
        private_write(authority_file, _authority(fresh).public_bytes(serialization.Encoding.PEM).decode())
        for name in _SERVER_FILES:
            (directory / name).unlink(missing_ok=True)
    if not all(_holds(directory / name, hosts) for name in _SERVER_FILES):
        authority = x509.load_pem_x509_certificate(authority_file.read_bytes())
        authority_key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file}: not a key of this program; remove the directory")
        for name in _SERVER_FILES:
            key: _Key = _new_key() if name != "dtls-srtp.pem" else rsa.generate_private_key(65537, _DTLS_BITS)
            chain = [_server(key, hosts, authority, authority_key), authority]
            text = "".join(part.public_bytes(serialization.Encoding.PEM).decode() for part in chain) + _pem(key)
            private_write(directory / name, text)
    return authority_file


def _holds(file: Path, hosts: Sequence[str]) -> bool:
    """Whether the certificate is there, lasts, and is for all of `hosts`."""
    if not file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    if certificate.not_valid_after_utc - _now() < datetime.timedelta(days=RENEW_DAYS):
        return False
    if not hosts:
        return True
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return all(_general_name(host) in names for host in hosts)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name(f"SparkleConference CA {os.uname().nodename}")
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
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
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


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: _Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
