"""The stage: a bound dossier in, a signed one out, the same one when run again, nothing when it fails."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageStat
from sign_values import BOXES

from casefile import codes, resources
from casefile.context import Context
from casefile.errors import SigningFailed, Undecided
from casefile.formats.signatures import pades
from casefile.formats.signatures.pades_verify import validate
from casefile.model.dossier import Dossier
from casefile.sign import seal, sign
from casefile.tools import verapdf

Open = Callable[..., Context]


def _left(context: Context, dossier: Dossier) -> list[Path]:
    folder = context.workspace.case(dossier.case_no).work / "signed"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def _fails(dossier: Dossier, context: Context, code: str) -> SigningFailed:
    with pytest.raises(SigningFailed) as caught:
        sign(dossier, context)
    assert caught.value.code == code
    assert _left(context, dossier) == []
    for sentence in codes.explained(caught.value):
        assert "{" not in sentence
        assert "Error" not in sentence
    return caught.value


def test_signed_in_order_and_taken_again(
    dossier: Dossier, desk_context: Open, pki: Any, pki_service: Any
) -> None:
    context = desk_context()
    signed = sign(dossier, context)
    (volume,) = signed.volumes
    assert (
        volume.pdf
        == context.workspace.case(dossier.case_no).work / "signed" / volume.bound.sha256 / "main.pdf"
    )
    assert [(s.field, s.role) for s in volume.signatures] == [(b.name, b.role) for b in BOXES]
    assert [s.certificate_sha256 for s in volume.signatures] == [s.certificate_sha256 for s in pki.signers]
    assert {s.level for s in volume.signatures} == {"B-LTA"}
    assert all(v.bottom_line for v in validate(volume.pdf, [pki.root_pem]))
    assert verapdf.check(volume.pdf, "3b").compliant
    assert {p.name for p in _left(context, dossier)} == {"main.pdf", "signatures.json"}

    calls = pki_service.calls.total()
    assert sign(dossier, context) == signed
    assert (
        sign(dossier, desk_context(lambda text: text)).volumes[0].sha256 != volume.sha256
    )  # another workspace
    assert sign(dossier, context) == signed
    assert pki_service.calls.total() > calls


def test_a_second_run_asks_no_server(dossier: Dossier, desk_context: Open, pki_service: Any) -> None:
    context = desk_context()
    first = sign(dossier, context)
    calls = pki_service.calls.total()
    with Context.open(context.workspace.root) as again:
        assert sign(dossier, again) == first
    assert pki_service.calls.total() == calls


def test_a_damaged_result_is_made_anew(dossier: Dossier, desk_context: Open, pki: Any) -> None:
    context = desk_context()
    pdf = sign(dossier, context).volumes[0].pdf
    data = bytearray(pdf.read_bytes())
    data[len(data) // 2] ^= 1
    pdf.write_bytes(data)
    assert all(v.bottom_line for v in validate(sign(dossier, context).volumes[0].pdf, [pki.root_pem]))
    record = pdf.with_name("signatures.json")
    record.write_text(record.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    sign(dossier, context)
    assert json.loads(record.read_text(encoding="utf-8"))["file"] == "main.pdf"


def test_killed_between_two_signatures(
    dossier: Dossier, desk_context: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = desk_context()
    real, made = pades.sign_field, []

    def second_dies(*args: Any, **how: Any) -> None:
        made.append(how["name"])
        if len(made) == 2:
            raise KeyboardInterrupt
        real(*args, **how)

    monkeypatch.setattr(pades, "sign_field", second_dies)
    with pytest.raises(KeyboardInterrupt):
        sign(dossier, context)
    assert _left(context, dossier) == []
    # As after kill -9, which runs no clean-up.
    bench = context.workspace.case(dossier.case_no).work / "signed" / f".{dossier.volumes[0].sha256}"
    bench.mkdir(parents=True)
    (bench / "step-1.pdf").write_bytes(b"half")
    assert len(sign(dossier, context).volumes[0].signatures) == 3
    assert not bench.exists()


def test_timestamps_down(dossier: Dossier, desk_context: Open, pki: Any) -> None:
    context = desk_context(lambda text: text.replace(pki.timestamp_url, "http://127.0.0.1:9/tsa"))
    error = _fails(dossier, context, "SIGN-TSA-UNREACHABLE")
    assert "127.0.0.1:9" in codes.explained(error)[0]


def test_a_role_without_signer(dossier: Dossier, desk_context: Open) -> None:
    context = desk_context(lambda text: text.replace('role = "checker"', 'role = "compiler"'))
    error = _fails(dossier, context, "SIGN-NO-SIGNER")
    assert "检查人" in codes.explained(error)[0]
    assert "signing.signers" in codes.explained(error)[1]


@pytest.mark.parametrize(
    ("line", "instead", "code"),
    [
        ("timestamp_url", "", "SIGN-NO-TSA"),
        ("trust_roots", "trust_roots = []", "SIGN-NO-ROOT"),
        ("trust_roots", 'trust_roots = ["casefile.toml"]', "SIGN-ROOT-UNREADABLE"),
        ("pkcs12", 'pkcs12 = "keys/nobody.p12"', "SIGN-KEY-MISSING"),
        ("passphrase_file", 'passphrase_file = "casefile.toml"', "SIGN-PASSPHRASE-WRONG"),
        ("passphrase_file", 'passphrase_file = "none.pass"', "SIGN-PASSPHRASE-MISSING"),
        ("passphrase_file", 'passphrase_env = "NO_SUCH_WORD"', "SIGN-PASSPHRASE-MISSING"),
        ("passphrase_file", "", "SIGN-PASSPHRASE-MISSING"),
        ("reason", 'seal = "casefile.toml"', "SIGN-SEAL-UNREADABLE"),
    ],
)
def test_wrong_settings(dossier: Dossier, desk_context: Open, line: str, instead: str, code: str) -> None:
    def change(text: str) -> str:
        return "\n".join(instead if one.startswith(f"{line} =") else one for one in text.splitlines())

    _fails(dossier, desk_context(change), code)


def test_a_passphrase_in_the_environment(
    dossier: Dossier, desk_context: Open, pki: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = pki.signers[0].passphrase_file
    monkeypatch.setenv("COMPILER_WORD", word.read_text().strip())
    context = desk_context(
        lambda text: text.replace(f'passphrase_file = "{word}"', 'passphrase_env = "COMPILER_WORD"')
    )
    assert len(sign(dossier, context).volumes[0].signatures) == 3


def test_a_volume_that_changed_after_binding(dossier: Dossier, desk_context: Open) -> None:
    volume = dataclasses.replace(dossier.volumes[0], sha256="0" * 64)
    _fails(dataclasses.replace(dossier, volumes=(volume,)), desk_context(), "SIGN-CHANGED")


def test_a_result_that_is_no_pdfa(
    dossier: Dossier, desk_context: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verapdf, "check", lambda *_: verapdf.Verdict(False, ("6.2.4.3-2 DeviceRGB",)))
    _fails(dossier, desk_context(), "SIGN-NOT-PDFA")
    monkeypatch.setattr(verapdf, "check", lambda *_: verapdf.Verdict(None, reason="no Java"))
    with pytest.raises(Undecided):
        sign(dossier, desk_context())


def test_a_timestamp_authority_that_lies_is_found_before_anything_is_kept(
    dossier: Dossier, desk_context: Open, pki_service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = pki_service.timestamps.answer

    def lying(request: bytes) -> bytes:
        answer = bytearray(honest(request))
        answer[-30] ^= 1
        return bytes(answer)

    monkeypatch.setattr(pki_service.timestamps, "answer", lying)
    context = desk_context()
    with pytest.raises(SigningFailed):
        sign(dossier, context)
    assert _left(context, dossier) == []


def test_the_last_level_is_raised_and_a_bare_one_is_kept(dossier: Dossier, desk_context: Open) -> None:
    context = desk_context(lambda text: text.replace('"B-LTA"', '"B-LT"'))
    assert {s.level for s in sign(dossier, context).volumes[0].signatures} == {"B-LTA"}
    context = desk_context(
        lambda text: text.replace('"B-LTA"', '"B-B"').replace('"B-LT"', '"B-B"').replace("timestamp_url", "#")
    )
    assert [s.level for s in sign(dossier, context).volumes[0].signatures] == ["B-B"] * 3


def test_the_bureaus_own_seal(dossier: Dossier, desk_context: Open, tmp_path: Path) -> None:
    Image.new("RGBA", (300, 300), (200, 0, 0, 128)).save(tmp_path / "own.png")
    context = desk_context(
        lambda text: text.replace("reason =", f'seal = "{tmp_path / "own.png"}"\nreason =')
    )
    assert verapdf.check(sign(dossier, context).volumes[0].pdf, "3b").compliant


def test_the_drawn_seal() -> None:
    data = seal.drawn("示范市自然资源局", resources.font_folders())
    assert data == seal.drawn("示范市自然资源局（演示）", resources.font_folders())
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "RGBA"
    dots = picture.info["dpi"][0]
    assert dots >= 300
    assert abs(picture.width / dots * 25.4 - 42) < 0.2
    alpha, side = picture.getchannel("A"), picture.width
    assert alpha.getpixel((0, 0)) == 0  # clear outside
    assert alpha.getpixel((side // 2, side // 2)) == 255  # the star
    assert alpha.getpixel((5, side // 2)) == 255  # the rim
    # Characters stand evenly: the arc is as heavy on the left as on the right.
    left, right = (
        ImageStat.Stat(alpha.crop((start, 0, start + side // 2, side // 2))).sum[0]
        for start in (0, side // 2)
    )
    assert 0.7 < left / right < 1.4


def test_many_names_fit_the_seal() -> None:
    for name in ("局", "示范市自然资源局综合行政执法监察支队直属第一大队", "示" * 40):
        assert seal.drawn(name, resources.font_folders()).startswith(b"\x89PNG")


def test_every_code_that_is_raised_has_a_sentence() -> None:
    import re

    import casefile

    sources = [
        p for p in Path(casefile.__file__).parent.rglob("*.py") if p.parent.name in ("sign", "formats")
    ]
    named = set()
    for source in sources:
        named |= set(re.findall(r'"((?:SIGN|CMS|TST|FONT)-[A-Z-]+)"', source.read_text(encoding="utf-8")))
    assert named
    assert named <= set(codes.codes())
