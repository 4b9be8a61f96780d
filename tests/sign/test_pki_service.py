"""The demo authority is served again where its certificates say."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sign_values import BOXES, CLOCK

from casefile.demo.pki import load_pki
from casefile.demo.pki_service import Service, serving
from casefile.errors import Conflict
from casefile.formats.signatures import cms, pades, trust
from casefile.formats.signatures.pades_verify import validate


def test_served_again_on_the_same_port(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        root = load_pki(tmp_path).root_pem.read_bytes()
        with serving(tmp_path) as meanwhile:
            assert meanwhile == first
    with serving(tmp_path) as second:
        assert second == first
        stamp = cms.timestamp(b"x", load_pki(tmp_path).timestamp_url)
        assert cms.verify_timestamp(b"x", stamp, [root]).bottom_line
    assert load_pki(tmp_path).root_pem.read_bytes() == root


def test_a_port_that_somebody_else_holds(tmp_path: Path) -> None:
    Service(tmp_path).start().close()
    port = int(load_pki(tmp_path).url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), pytest.raises(Conflict) as caught, serving(tmp_path):
        pass
    assert (caught.value.code, caught.value.subject) == ("DEMO-PORT", str(port))


def test_as_a_program(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "casefile.demo.pki_service", str(tmp_path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            assert "http://127.0.0.1:" in running.stdout.readline()
            url = load_pki(tmp_path).url
            with urllib.request.urlopen(f"{url}/issuing.crl", timeout=5) as answer:
                assert answer.headers["Content-Type"] == "application/pkix-crl"
        finally:
            running.terminate()


def test_a_revocation_after_the_signature_does_not_undo_it(
    bound_pdf: Path, pki: Any, pki_service: Any, services: Any, tmp_path: Path
) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    certificate, key = pki_service.authority.issue("周离任（演示）", start=now - dt.timedelta(days=30))
    word = pki_service.authority.bundle(certificate, key, tmp_path / "x.p12")
    signer = trust.unlock(tmp_path / "x.p12", word.read_bytes().strip())
    pades.create_fields(bound_pdf, tmp_path / "f.pdf", BOXES[:1])
    how: dict[str, Any] = {
        "name": "立卷人",
        "key": signer,
        "level": "B-LTA",
        "services": services,
        "at": CLOCK,
    }
    pades.sign_field(tmp_path / "f.pdf", tmp_path / "s.pdf", **how)
    pki_service.authority.revoke(certificate, now + dt.timedelta(seconds=1))
    assert all(v.bottom_line for v in validate(tmp_path / "s.pdf", [pki.root_pem]))
