"""A private authority and its certificates, and real ones in their place."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store
from django.core.management import CommandError, call_command

from apps.switch.freeswitch import certificates
from apps.switch.freeswitch.certificates import CertificateProblem, install_certificates, prepare_certificates
from apps.switch.models import Node
from tests.authority import deliver


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of 4096 bits takes a second to find, and its size is FreeSWITCH's concern (tests/live)."""
    monkeypatch.setattr(certificates, "_DTLS_BITS", 2048)


def verified(authority: Path, server: Path, host: str, between: Sequence[x509.Certificate] = ()) -> None:
    """Raises when `server` is not a certificate of `authority` for `host`."""
    store = Store(x509.load_pem_x509_certificates(authority.read_bytes()))
    leaf = x509.load_pem_x509_certificate(server.read_bytes())
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName(host)).verify(leaf, list(between))


def contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_certificates_are_for_the_hosts_and_private(tmp_path: Path) -> None:
    authority = prepare_certificates(tmp_path / "certs", ["127.0.0.1", "localhost"]).authority
    for name in ("agent.pem", "wss.pem", "trunk/agent.pem"):
        verified(authority, tmp_path / "certs" / name, "localhost")
        with pytest.raises(x509.verification.VerificationError):
            verified(authority, tmp_path / "certs" / name, "elsewhere.example")
    files = [file for file in (tmp_path / "certs").rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_second_start_keeps_them(tmp_path: Path) -> None:
    first = prepare_certificates(tmp_path, ["localhost"])
    assert {file.name for file in first.written} == {"cafile.pem", "agent.pem", "wss.pem", "dtls-srtp.pem"}
    before = contents(tmp_path)
    second = prepare_certificates(tmp_path, ["localhost"])
    assert (second.written, second.foreign) == ([], [])
    assert contents(tmp_path) == before


def test_another_host_or_the_end_of_their_time_renews_them_under_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = prepare_certificates(tmp_path, ["localhost"]).authority
    trusted, first = authority.read_bytes(), (tmp_path / "agent.pem").read_bytes()
    prepare_certificates(tmp_path, ["sip.example.cn"])
    second = (tmp_path / "agent.pem").read_bytes()
    monkeypatch.setattr(certificates, "RENEW_DAYS", certificates.CERTIFICATE_DAYS + 1)
    prepare_certificates(tmp_path, ["sip.example.cn"])
    third = (tmp_path / "agent.pem").read_bytes()
    monkeypatch.undo()
    monkeypatch.setattr(certificates, "_DTLS_BITS", 2048)
    prepare_certificates(tmp_path, ["sip.example.cn"], renew=True)
    assert len({first, second, third, (tmp_path / "agent.pem").read_bytes()}) == 4
    assert authority.read_bytes() == trusted
    verified(authority, tmp_path / "agent.pem", "sip.example.cn")
    verified(authority, tmp_path / "trunk" / "agent.pem", "sip.example.cn")


def test_a_lost_authority_is_replaced_with_all_that_it_made(tmp_path: Path) -> None:
    prepare_certificates(tmp_path, ["localhost"])
    (tmp_path / "ca-key.pem").unlink()
    found = prepare_certificates(tmp_path, ["localhost"])
    verified(found.authority, tmp_path / "agent.pem", "localhost")


def test_gateways_are_believed_by_more_than_phones(tmp_path: Path) -> None:
    public = deliver(tmp_path / "of-others", "gateway.example.cn").root
    found = prepare_certificates(tmp_path / "certs", ["localhost"], trust=[public])
    believed = x509.load_pem_x509_certificates((tmp_path / "certs" / "trunk" / "cafile.pem").read_bytes())
    assert [each.subject.rfc4514_string()[:11] for each in believed] == ["CN=SparkleC", "CN=A Public"]
    assert len(x509.load_pem_x509_certificates(found.authority.read_bytes())) == 1


def test_a_real_certificate_is_put_where_each_side_looks_for_it(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    prepare_certificates(certs, ["sip.example.cn"])
    own = (certs / "cafile.pem").read_bytes()
    chain, key, root = deliver(tmp_path / "real", "sip.example.cn")
    for _ in range(2):  # a renewal puts nothing in twice
        install_certificates(certs, chain, key)
    # SIP over TLS takes the chain from cafile.pem, WSS from its own file; phones still trust ours first.
    believed = x509.load_pem_x509_certificates((certs / "cafile.pem").read_bytes())
    assert certificates._pem(believed[0]).encode() == own
    assert [each.subject.rfc4514_string() for each in believed[1:]] == ["CN=A Public CA"]
    assert len(x509.load_pem_x509_certificates((certs / "wss.pem").read_bytes())) == 2
    for name in ("agent.pem", "wss.pem", "trunk/agent.pem"):
        verified(root, certs / name, "sip.example.cn", x509.load_pem_x509_certificates(chain.read_bytes())[1:])
        private = serialization.load_pem_private_key((certs / name).read_bytes(), None)
        leaf = x509.load_pem_x509_certificate((certs / name).read_bytes())
        assert private.public_key() == leaf.public_key()
        assert stat.S_IMODE((certs / name).stat().st_mode) == 0o600

    before = contents(certs)
    found = prepare_certificates(certs, ["another.example.cn"], renew=True)
    assert sorted(file.name for file in found.foreign) == ["agent.pem", "wss.pem"]  # left alone, whatever they say
    assert [file.name for file in found.written] == ["dtls-srtp.pem"]
    assert {name for name, text in contents(certs).items() if text != before[name]} == {"dtls-srtp.pem"}


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    chain, key, _ = deliver(tmp_path / "real", "sip.example.cn")
    with pytest.raises(CertificateProblem, match="no certificates yet"):
        install_certificates(certs, chain, key)
    prepare_certificates(certs, ["sip.example.cn"])
    before = contents(certs)
    other = deliver(tmp_path / "other", "sip.example.cn")
    with pytest.raises(CertificateProblem, match="not the key"):
        install_certificates(certs, chain, other.key)
    assert contents(certs) == before


@pytest.mark.django_db
def test_the_command_makes_renews_installs_and_lets_the_node_restart(tmp_path: Path) -> None:
    node = Node.objects.create(name="fs-1", esl_password="-")

    def run(*arguments: object) -> tuple[str, bool]:
        """What it says, and whether the node restarts."""
        Node.objects.update(restart_wanted=False)
        out = StringIO()
        call_command("freeswitch", "certificates", tmp_path / "certs", *map(str, arguments), stdout=out)
        node.refresh_from_db()
        return out.getvalue(), node.restart_wanted

    host = ("--host", "sip.example.cn", "--host", "10.0.0.5")
    said, restarts = run(*host)
    assert str(tmp_path / "certs" / "cafile.pem") in said
    assert "--install" in said
    assert not restarts
    assert run(*host, "--node", "fs-1") == ("nothing to do\n", False)
    assert run(*host, "--renew", "--node", "fs-1")[1]
    chain, key, _ = deliver(tmp_path / "real", "sip.example.cn")
    said, restarts = run("--install", chain, key, "--node", "fs-1")
    assert restarts
    assert "private authority" not in said
    with pytest.raises(CommandError, match="--host"):
        run()
    with pytest.raises(CommandError, match="Nothing was written"):
        run("--install", chain, chain)
