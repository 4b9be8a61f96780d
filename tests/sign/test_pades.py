"""Signatures that hold, and ones that are refused, with a real authority and real timestamps."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from sign_values import BOXES, CLOCK

from casefile.demo.pki import _usage
from casefile.errors import BadInput, MissingTool, SigningFailed
from casefile.formats.fonts import glyphs
from casefile.formats.signatures import pades, trust
from casefile.formats.signatures.pades_verify import validate
from casefile.tools import verapdf

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


def test_pdfa_after_every_step(steps: list[Path]) -> None:
    for step in steps:
        assert verapdf.check(step, "3b").compliant, step.name


def test_all_signatures_hold_without_network(signed_pdf: Path, pki: Any, pki_service: Any) -> None:
    before = pki_service.calls.total()
    verdicts = validate(signed_pdf, [pki.root_pem])
    assert pki_service.calls.total() == before
    assert [v.field for v in verdicts] == ["立卷人", "检查人", "单位公章", "单位公章-时间戳"]
    assert all(v.bottom_line for v in verdicts), verdicts
    assert [v.certified for v in verdicts] == [True, False, False, False]
    assert [v.certificate_sha256 for v in verdicts[:3]] == [s.certificate_sha256 for s in pki.signers]
    assert {v.level for v in verdicts[:3]} == {"B-LTA"}
    assert all(v.time and abs(v.time - NOW) < DAY for v in verdicts)


def test_before_the_last_signature_the_level_is_long_term_only(steps: list[Path], pki: Any) -> None:
    first, second, empty = validate(steps[2], [pki.root_pem])
    assert (first.level, second.level, first.bottom_line, second.bottom_line) == ("B-LT", "B-LT", True, True)
    assert (empty.kind, empty.problem) == ("empty", "SIGN-VERDICT-EMPTY")


def test_years_later_only_the_archive_timestamp_still_proves(steps: list[Path], pki: Any) -> None:
    in_2030 = dt.datetime(2030, 12, 1, tzinfo=dt.UTC)
    assert all(v.bottom_line for v in validate(steps[3], [pki.root_pem], in_2030))
    assert validate(steps[2], [pki.root_pem], in_2030)[0].problem == "SIGN-VERDICT-LAPSED"
    in_2040 = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
    assert validate(steps[3], [pki.root_pem], in_2040)[0].problem == "SIGN-VERDICT-RENEW"


def test_another_root_trusts_nothing(signed_pdf: Path, tmp_path: Path) -> None:
    from casefile.demo.pki import make_pki

    other = make_pki(tmp_path / "other", "http://127.0.0.1:9")
    verdicts = validate(signed_pdf, [other.root_pem])
    assert not any(v.trusted or v.bottom_line for v in verdicts)
    assert all(v.intact for v in verdicts[:3])


def test_no_root_is_an_error_and_never_the_list_of_the_operating_system(signed_pdf: Path) -> None:
    with pytest.raises(SigningFailed) as caught:
        validate(signed_pdf, [])
    assert caught.value.code == "SIGN-NO-ROOT"


def test_pdfsig_agrees(signed_pdf: Path) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig is not installed")
    said = subprocess.run(["pdfsig", signed_pdf], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid") == 3
    assert said.count("ETSI.CAdES.detached") == 3


def test_keys_are_for_their_owner_only(pki: Any) -> None:
    secrets = [p for p in (pki.folder / "keys").rglob("*") if p.suffix in (".p12", ".pass", ".key")]
    assert len(secrets) == 10
    assert {stat.S_IMODE(p.stat().st_mode) for p in secrets} == {0o600}


def _key(pki_service: Any, tmp_path: Path, **how: Any) -> trust.SigningKey:
    certificate, key = pki_service.authority.issue("赵试验（演示）", **{"start": NOW - 30 * DAY, **how})
    word = pki_service.authority.bundle(certificate, key, tmp_path / "x.p12")
    return trust.unlock(tmp_path / "x.p12", word.read_bytes().strip())


def _refused(
    steps: list[Path], key: trust.SigningKey, services: pades.SigningServices, target: Path, level: Any
) -> str:
    with pytest.raises(SigningFailed) as caught:
        pades.sign_field(
            steps[0], target, name="立卷人", key=key, level=level, services=services, at=CLOCK, certify=True
        )
    return caught.value.code


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT", "B-LTA"])
def test_a_revoked_signer_is_refused_at_every_level(
    steps: list[Path], services: Any, pki_service: Any, tmp_path: Path, level: str
) -> None:
    certificate, key = pki_service.authority.issue("钱吊销（演示）", start=NOW - 30 * DAY)
    word = pki_service.authority.bundle(certificate, key, tmp_path / "x.p12")
    pki_service.authority.revoke(certificate, NOW - DAY)
    signer = trust.unlock(tmp_path / "x.p12", word.read_bytes().strip())
    assert _refused(steps, signer, services, tmp_path / "out.pdf", level) == "SIGN-REVOKED"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"start": NOW - 400 * DAY, "life": 365 * DAY}, "SIGN-EXPIRED"),
        ({"start": NOW + 30 * DAY}, "SIGN-NOT-YET-VALID"),
        ({"self_signed": True}, "SIGN-UNTRUSTED"),
        (
            {"usage": _usage("digital_signature"), "purposes": [ExtendedKeyUsageOID.SERVER_AUTH]},
            "SIGN-USAGE",
        ),
    ],
)
def test_an_unfit_signer_is_refused(
    steps: list[Path], services: Any, pki_service: Any, tmp_path: Path, how: dict[str, Any], code: str
) -> None:
    key = _key(pki_service, tmp_path, **how)
    for level in ("B-B", "B-LT"):
        assert _refused(steps, key, services, tmp_path / "out.pdf", level) == code


def test_services_that_are_down_are_named(
    steps: list[Path], pki: Any, pki_service: Any, keys: list[trust.SigningKey], tmp_path: Path
) -> None:
    roots = trust.read_roots([pki.root_pem])
    closed = pades.SigningServices(roots, "http://127.0.0.1:9/tsa")
    assert _refused(steps, keys[0], closed, tmp_path / "a.pdf", "B-LT") == "SIGN-TSA-UNREACHABLE"
    assert _refused(steps, keys[0], closed, tmp_path / "a.pdf", "B-T") == "SIGN-TSA-UNREACHABLE"
    wrong = pades.SigningServices(roots, f"{pki.url}/nothing")
    assert _refused(steps, keys[0], wrong, tmp_path / "a.pdf", "B-LT") == "SIGN-TSA-UNREACHABLE"
    nowhere = pades.SigningServices(roots, None)
    assert _refused(steps, keys[0], nowhere, tmp_path / "a.pdf", "B-LTA") == "SIGN-NO-TSA"
    # A certificate that points to a server that nobody runs: revocation is unknown, not assumed.
    authority = pki_service.authority
    kept, authority.url = authority.url, "http://127.0.0.1:9"
    try:
        certificate, key = authority.issue("孙无网（演示）", start=NOW - 30 * DAY)
    finally:
        authority.url = kept
    word = authority.bundle(certificate, key, tmp_path / "x.p12")
    lonely = trust.unlock(tmp_path / "x.p12", word.read_bytes().strip())
    services = pades.SigningServices(roots, pki.timestamp_url)
    assert _refused(steps, lonely, services, tmp_path / "a.pdf", "B-B") == "SIGN-REVOCATION-UNKNOWN"


def test_a_timestamp_authority_outside_the_roots_is_refused(
    steps: list[Path], pki: Any, keys: list[trust.SigningKey], tmp_path: Path
) -> None:
    from casefile.demo.pki_service import Service

    with Service(tmp_path / "foreign") as foreign:
        services = pades.SigningServices(trust.read_roots([pki.root_pem]), foreign.pki.timestamp_url)
        assert _refused(steps, keys[0], services, tmp_path / "a.pdf", "B-LT") == "SIGN-TSA-UNTRUSTED"


def test_fields_that_are_signed_or_missing(
    steps: list[Path], services: Any, keys: Any, tmp_path: Path
) -> None:
    for source, name, code in (
        (steps[1], "立卷人", "SIGN-FIELD-SIGNED"),
        (steps[1], "局长", "SIGN-FIELD-MISSING"),
    ):
        with pytest.raises(SigningFailed) as caught:
            pades.sign_field(
                source, tmp_path / "o.pdf", name=name, key=keys[0], level="B-B", services=services, at=CLOCK
            )
        assert (caught.value.code, caught.value.subject) == (code, name)


def test_what_is_no_pdf(tmp_path: Path) -> None:
    for data in (b"", b"%PDF-1.7\n", os.urandom(500)):
        (tmp_path / "x.pdf").write_bytes(data)
        with pytest.raises(BadInput):
            pades.create_fields(tmp_path / "x.pdf", tmp_path / "y.pdf", BOXES)


def test_keys_that_do_not_open(pki: Any, tmp_path: Path) -> None:
    good = pki.signers[0].pkcs12
    (tmp_path / "junk.p12").write_bytes(b"junk")
    (tmp_path / "cut.p12").write_bytes(good.read_bytes()[:400])
    for path, word, code in (
        (good, b"wrong", "SIGN-PASSPHRASE-WRONG"),
        (good, b"", "SIGN-PASSPHRASE-WRONG"),
        (tmp_path / "junk.p12", b"", "SIGN-KEY-UNREADABLE"),
        (tmp_path / "cut.p12", b"", "SIGN-KEY-UNREADABLE"),
        (tmp_path / "none.p12", b"", "SIGN-KEY-MISSING"),
        (pki.root_pem, b"", "SIGN-KEY-UNREADABLE"),
    ):
        with pytest.raises(SigningFailed) as caught:
            trust.unlock(path, word)
        assert caught.value.code == code, path


def test_a_character_without_glyph_is_named() -> None:
    from casefile import resources

    rare = "李\U000e0fff"
    with pytest.raises(MissingTool) as caught:
        glyphs.covering(rare, ["FandolKai-Regular.otf"], resources.font_folders())
    assert caught.value.code == "FONT-GLYPH"
    assert "U+E0FFF" in caught.value.params["characters"]


def test_a_name_that_kai_lacks_comes_from_a_collection(tmp_path: Path) -> None:
    from fontTools.ttLib import TTFont

    from casefile import resources

    data = glyphs.covering(
        "张𬭎", ["FandolKai-Regular.otf", "NotoSerifCJK-Regular.ttc"], resources.font_folders()
    )
    (tmp_path / "f.otf").write_bytes(data)
    font = TTFont(tmp_path / "f.otf")
    assert font["head"].unitsPerEm == 1000
    assert ord("𬭎") in font.getBestCmap()
    assert len(data) < 20_000


def test_certificates_follow_the_profiles(pki: Any) -> None:
    folder = pki.folder / "keys" / "authority"
    tsa = x509.load_der_x509_certificate((folder / "tsa.crt").read_bytes())
    purposes = tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert purposes.critical
    assert list(purposes.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    names = [
        x509.load_der_x509_certificate(p.read_bytes()).subject.rfc4514_string() for p in folder.glob("*.crt")
    ]
    assert all("演示" in name for name in names)
