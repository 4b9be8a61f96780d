"""What is done to a signed file afterwards: never valid, never a crash."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from sign_values import CLOCK

from casefile.formats.signatures import pades
from casefile.formats.signatures.pades_verify import SignatureVerdict, validate


def _judged(data: bytes, tmp_path: Path, pki: Any) -> tuple[SignatureVerdict, ...]:
    path = tmp_path / "attacked.pdf"
    path.write_bytes(data)
    return validate(path, [pki.root_pem])


def _increment(data: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _replace_page(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 g 50 50 200 200 re f"))
    writer.update_container(page)


def _cover_text(writer: IncrementalPdfFileWriter) -> None:
    stamp = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Square"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in (50, 700, 500, 800)]),
            pdf_name("/F"): generic.NumberObject(132),
            pdf_name("/IC"): generic.ArrayObject([generic.NumberObject(1)] * 3),
        }
    )
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"] = generic.ArrayObject([writer.add_object(stamp)])
    writer.update_container(page)


def _rewrite_title(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.root["/Metadata"]
    stream._data = stream.data.replace("演示案卷".encode(), "别的案卷".encode())
    stream._encoded_data = None
    writer.update_container(stream)


@pytest.mark.parametrize("attack", [_replace_page, _cover_text, _rewrite_title])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_an_increment_that_changes_the_document(
    steps: list[Path], pki: Any, tmp_path: Path, attack: Callable[..., None], step: int
) -> None:
    verdicts = _judged(_increment(steps[step].read_bytes(), attack), tmp_path, pki)
    signed = [v for v in verdicts if v.kind == "signature"]
    assert len(signed) == step
    assert not any(v.bottom_line for v in signed), verdicts


def test_an_increment_followed_by_a_valid_signature(
    steps: list[Path], pki: Any, tmp_path: Path, keys: Any, services: Any
) -> None:
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(_increment(steps[2].read_bytes(), _replace_page))
    pades.sign_field(
        changed,
        tmp_path / "out.pdf",
        name="单位公章",
        key=keys[2],
        level="B-LTA",
        services=services,
        at=CLOCK,
    )
    verdicts = validate(tmp_path / "out.pdf", [pki.root_pem])
    assert [v.bottom_line for v in verdicts[:2]] == [False, False]
    assert {v.problem for v in verdicts[:2]} == {"SIGN-VERDICT-MODIFIED"}


def test_stripped_signatures_are_missed_by_count(signed_pdf: Path, pki: Any, tmp_path: Path) -> None:
    with pikepdf.open(signed_pdf) as pdf:
        del pdf.Root.AcroForm
        for page in pdf.pages:
            if "/Annots" in page.obj:
                del page.obj["/Annots"]
        pdf.save(tmp_path / "stripped.pdf")
    assert validate(tmp_path / "stripped.pdf", [pki.root_pem]) == ()


def test_the_last_revision_cut_off_leaves_an_empty_field(steps: list[Path], pki: Any, tmp_path: Path) -> None:
    data = steps[3].read_bytes()
    ends = [found.end() for found in re.finditer(rb"%%EOF\r?\n?", data)]
    whole = [found for found in ends if found < len(steps[2].read_bytes()) + 1]
    verdicts = _judged(data[: whole[-1]], tmp_path, pki)
    assert [v.problem for v in verdicts if v.kind == "empty"] == ["SIGN-VERDICT-EMPTY"]
    assert not all(v.bottom_line for v in verdicts)


def test_every_shorter_revision_is_noticed(signed_pdf: Path, pki: Any, tmp_path: Path) -> None:
    data = signed_pdf.read_bytes()
    ends = [found.end() for found in re.finditer(rb"%%EOF\r?\n?", data)]
    for end in ends[:-1]:
        verdicts = _judged(data[:end], tmp_path, pki)
        reached = [v.level for v in verdicts if v.kind == "signature" and v.bottom_line]
        complete = [v.field for v in verdicts if v.bottom_line] == [
            "立卷人",
            "检查人",
            "单位公章",
            "单位公章-时间戳",
        ]
        # Only the revocation answers behind the archive timestamp can be lost unnoticed by the file itself.
        assert complete == (end > data.rfind(b"/DocTimeStamp")), (end, reached)


@pytest.mark.parametrize("tail", [b"x", b"\n\n\n\n% more\n", b"%%EOF\n1 0 obj\n<<>>\nendobj\n", b"\0" * 100])
def test_bytes_behind_the_end(signed_pdf: Path, pki: Any, tmp_path: Path, tail: bytes) -> None:
    verdicts = _judged(signed_pdf.read_bytes() + tail, tmp_path, pki)
    assert not all(v.bottom_line for v in verdicts)


def test_the_year_of_a_timestamp_token(steps: list[Path], pki: Any, tmp_path: Path) -> None:
    year = b"2026".hex().encode()
    for step in (1, 3):
        data = steps[step].read_bytes()
        places = [found.start() for found in re.finditer(rb"(?i)180f" + year, data)]
        places += [found.start() for found in re.finditer(rb"(?i)181[0-9a-f]" + year, data)]
        assert places
        for place in set(places):
            forged = data[: place + 4] + b"2020".hex().encode() + data[place + 12 :]
            verdicts = _judged(forged, tmp_path, pki)
            assert not all(v.bottom_line for v in verdicts)
            assert not any(v.time and v.time.year == 2020 for v in verdicts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange null"),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange [0 0 0 0]"),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange []"),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange [0 -1 9999999999 5]"),
        (rb"/ByteRange", b"/ByteRangX"),
        (rb"/Contents <", b"/Contentx <"),
        (rb"/Contents <[0-9a-fA-F]{100}", b"/Contents <" + b"0" * 100),
        (rb"/SubFilter /ETSI.CAdES.detached", b"/SubFilter /None"),
        (rb"/DSS", b"/DXX"),
    ],
)
def test_broken_signature_dictionaries(
    signed_pdf: Path, pki: Any, tmp_path: Path, old: bytes, new: bytes
) -> None:
    data = signed_pdf.read_bytes()
    found = list(re.finditer(old, data))
    assert found
    for hit in found[:1] + found[-1:]:
        forged = data[: hit.start()] + new.ljust(hit.end() - hit.start()) + data[hit.end() :]
        assert not all(v.bottom_line for v in _judged(forged, tmp_path, pki))


def test_what_is_no_pdf_is_a_verdict(pki: Any, tmp_path: Path) -> None:
    for data in (b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF\n", b"\0" * 2000, "案卷".encode() * 99):
        (verdict,) = _judged(data, tmp_path, pki)
        assert (verdict.bottom_line, verdict.problem) == (False, "SIGN-VERDICT-UNREADABLE")
    (verdict,) = validate(tmp_path / "none.pdf", [pki.root_pem])
    assert verdict.problem == "SIGN-VERDICT-UNREADABLE"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_before_the_archive_timestamp(
    signed_pdf: Path, pki: Any, tmp_path: Path, where: float, bit: int
) -> None:
    data = bytearray(signed_pdf.read_bytes())
    # What the last timestamp covers ahead of its own token; the rest is the digest in the manifest.
    covered = re.findall(rb"/ByteRange \[0 (\d+) ", signed_pdf.read_bytes())
    place = int(where * max(map(int, covered)))
    data[place] ^= 1 << bit
    assert not all(v.bottom_line for v in _judged(bytes(data), tmp_path, pki) or [SignatureVerdict("")])
