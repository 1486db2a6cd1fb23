"""A public certificate authority, as far as tests need one."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from apps.switch.freeswitch.certificates import general_name


class Delivered(NamedTuple):
    """What such an authority delivers: the certificate with the one between it and the root, its key; and the root."""

    chain: Path
    key: Path
    root: Path


def deliver(directory: Path, host: str) -> Delivered:
    directory.mkdir()
    root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _signed("A Public Root", root_key, "A Public Root", root_key)
    middle = _signed("A Public CA", middle_key, "A Public Root", root_key)
    leaf = _signed(host, key, "A Public CA", middle_key, host=host)
    found = Delivered(directory / "fullchain.pem", directory / "privkey.pem", directory / "root.pem")
    found.chain.write_bytes(_pem(leaf) + _pem(middle))
    found.root.write_bytes(_pem(root))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def sign_for_carrier(certificates: Path, address: str, file: Path) -> Path:
    """A certificate and its key, by the authority of a node, for a server called at an address: as a name, since
    FreeSWITCH compares with nothing else (tport_tls.c, tls_post_connection_check)."""
    authority_key = serialization.load_pem_private_key((certificates / "ca-key.pem").read_bytes(), None)
    authority = x509.load_pem_x509_certificate((certificates / "cafile.pem").read_bytes())
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("a carrier"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(address)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    file.write_bytes(
        _pem(certificate)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    host: str | None = None,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(host)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    else:
        builder = builder.add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
