from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from sparkle.local import certificates
from sparkle.local.certificates import prepare_certificates


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of 4096 bits takes a second to find, and its size is FreeSWITCH's concern (tests/live)."""
    monkeypatch.setattr(certificates, "_DTLS_BITS", 2048)


def verified(authority: Path, server: Path, host: str) -> None:
    """Raises when `server` is not a certificate of `authority` for `host`."""
    store = Store([x509.load_pem_x509_certificate(authority.read_bytes())])
    leaf = x509.load_pem_x509_certificate(server.read_bytes())
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName(host)).verify(leaf, [])


def test_certificates_are_for_the_hosts_and_private(tmp_path: Path) -> None:
    authority = prepare_certificates(tmp_path / "certs", ["127.0.0.1", "localhost"])
    for name in ("agent.pem", "wss.pem"):
        verified(authority, tmp_path / "certs" / name, "localhost")
        with pytest.raises(x509.verification.VerificationError):
            verified(authority, tmp_path / "certs" / name, "elsewhere.example")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "certs").iterdir()} == {0o600}


def test_a_second_start_keeps_them(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, ["localhost"])
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    prepare_certificates(tmp_path, ["localhost"])
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_another_host_or_the_end_of_their_time_renews_them_under_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = prepare_certificates(tmp_path, ["localhost"])
    trusted, first = authority.read_bytes(), (tmp_path / "agent.pem").read_bytes()
    prepare_certificates(tmp_path, ["sip.example.cn"])
    second = (tmp_path / "agent.pem").read_bytes()
    monkeypatch.setattr(certificates, "RENEW_DAYS", certificates.CERTIFICATE_DAYS + 1)
    prepare_certificates(tmp_path, ["sip.example.cn"])
    assert len({first, second, (tmp_path / "agent.pem").read_bytes()}) == 3
    assert authority.read_bytes() == trusted
    verified(authority, tmp_path / "agent.pem", "sip.example.cn")
