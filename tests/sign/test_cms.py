"""Detached signatures and timestamps, checked by us and by OpenSSL."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefile.errors import SigningFailed
from casefile.formats.signatures import cms, trust

DATA = "<manifest>演示</manifest>".encode()


@pytest.fixture(scope="module")
def p7s(keys: list[trust.SigningKey]) -> bytes:
    return cms.sign_detached(DATA, keys[2])


@pytest.fixture(scope="module")
def tsr(pki: Any) -> bytes:
    return cms.timestamp(DATA, pki.timestamp_url)


def _openssl(folder: Path, pki: Any, data: bytes, p7s: bytes, tsr: bytes) -> tuple[bool, bool]:
    for name, content in (("manifest.xml", data), ("manifest.xml.p7s", p7s), ("manifest.xml.tsr", tsr)):
        (folder / name).write_bytes(content)
    signature = (
        "openssl cms -verify -binary -inform DER -in manifest.xml.p7s -content manifest.xml -out /dev/null"
    )
    stamp = "openssl ts -verify -data manifest.xml -in manifest.xml.tsr"
    return tuple(  # type: ignore[return-value]
        subprocess.run(
            [*command.split(), "-CAfile", str(pki.root_pem)], cwd=folder, capture_output=True, check=False
        ).returncode
        == 0
        for command in (signature, stamp)
    )


def test_openssl_accepts_and_rejects(tmp_path: Path, pki: Any, p7s: bytes, tsr: bytes) -> None:
    assert _openssl(tmp_path, pki, DATA, p7s, tsr) == (True, True)
    assert _openssl(tmp_path, pki, DATA[:-1] + b"]", p7s, tsr) == (False, False)
    flipped = [bytes([*file[:-20], file[-20] ^ 1, *file[-19:]]) for file in (p7s, tsr)]
    assert _openssl(tmp_path, pki, DATA, *flipped) == (False, False)


def test_ours_accept_and_reject(pki: Any, p7s: bytes, tsr: bytes) -> None:
    good = cms.verify_detached(DATA, p7s, [pki.root_pem])
    assert good.bottom_line
    assert good.signer == pki.signers[2].name
    assert good.certificate_sha256 == pki.signers[2].certificate_sha256
    stamp = cms.verify_timestamp(DATA, tsr, [pki.root_pem.read_bytes()])
    assert stamp.bottom_line
    assert stamp.time is not None
    assert abs(stamp.time - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    assert cms.verify_detached(DATA + b" ", p7s, [pki.root_pem]).problem == "CMS-BROKEN"
    assert cms.verify_timestamp(DATA + b" ", tsr, [pki.root_pem]).problem == "TST-BROKEN"


def test_time_decides_over_the_certificate(pki: Any, p7s: bytes) -> None:
    in_2035 = dt.datetime(2035, 1, 1, tzinfo=dt.UTC)
    assert cms.verify_detached(DATA, p7s, [pki.root_pem], in_2035).problem == "CMS-UNTRUSTED"


def test_foreign_roots(tmp_path: Path, p7s: bytes, tsr: bytes) -> None:
    from casefile.demo.pki import make_pki

    other = make_pki(tmp_path, "http://127.0.0.1:9").root_pem
    assert cms.verify_detached(DATA, p7s, [other]).problem == "CMS-UNTRUSTED"
    assert cms.verify_timestamp(DATA, tsr, [other]).problem == "TST-UNTRUSTED"


def test_a_signature_is_no_timestamp_and_the_other_way_round(pki: Any, p7s: bytes, tsr: bytes) -> None:
    assert not cms.verify_timestamp(DATA, p7s, [pki.root_pem]).bottom_line
    assert not cms.verify_detached(DATA, tsr, [pki.root_pem]).bottom_line


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_garbage_is_a_verdict(pki: Any, p7s: bytes, tsr: bytes, where: float, bit: int, cut: bool) -> None:
    for good, judge in ((p7s, cms.verify_detached), (tsr, cms.verify_timestamp)):
        place = int(where * len(good))
        bad = bytearray(good)
        bad[place] ^= 1 << bit
        verdict = judge(DATA, bytes(bad[:place] if cut else bad), [pki.root_pem])
        if cut:
            assert not verdict.bottom_line
        if not verdict.bottom_line:
            assert verdict.problem


@pytest.mark.parametrize("path", ["http://127.0.0.1:9/tsa", "{url}/nothing", "{url}/root.crt", "nonsense"])
def test_a_timestamp_server_that_does_not_answer(pki: Any, path: str) -> None:
    with pytest.raises(SigningFailed) as caught:
        cms.timestamp(DATA, path.format(url=pki.url))
    assert caught.value.code == "SIGN-TSA-UNREACHABLE"


def test_an_answer_to_another_question(pki: Any, tsr: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    import http.server
    import threading

    class Replay(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(tsr)))
            self.end_headers()
            self.wfile.write(tsr)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Replay) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(SigningFailed) as caught:
            cms.timestamp(DATA, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert caught.value.code == "SIGN-TSA-REFUSED"
