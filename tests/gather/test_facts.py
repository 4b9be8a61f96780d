"""What files say of themselves is read, made plain and shown; it decides nothing and breaks nothing."""

from __future__ import annotations

import datetime as dt
import json
import struct

import docx
import pikepdf
import pytest
from gather_files import write_docx, write_pdf  # type: ignore[import-not-found]
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from test_identify import compound  # type: ignore[import-not-found]

from casefile.audit import report_json
from casefile.context import CHINA_TIME
from casefile.formats.identify import facts, sniff
from casefile.gather import clock
from casefile.model.terms import FactKey


def said(path) -> dict[str, str]:
    head = path.read_bytes()[: sniff.HEAD]
    pairs, _ = facts.read(path, sniff.media_type(path), head)
    return {key.value: value for key, value in pairs}


def photograph(path, *, taken="2026:03:05 10:00:00", make="Canon\0", latitude=(30, 15, 30), side="N", **save):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = make, "EOS", taken
    exif[0x8769] = {0x9003: taken, 0x9011: "+08:00"}
    exif[0x8825] = {
        1: side,
        2: tuple(IFDRational(n) for n in latitude),
        3: "E",
        4: (IFDRational(120), IFDRational(9), IFDRational(0)),
        5: b"\0",
        6: IFDRational(125, 10),
    }
    Image.new("RGB", (40, 30)).save(path, exif=exif.tobytes(), dpi=(300, 300), **save)
    return path


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_a_photograph(tmp_path, name):
    told = said(photograph(tmp_path / name))
    assert told["taken_at"] == "2026-03-05T10:00:00+08:00"
    assert told["make"] == "Canon" and told["model"] == "EOS" and told["pixels"] == "40 x 30"
    assert (told["latitude"], told["longitude"], told["altitude"]) == ("30.258333", "120.150000", "12.5")
    if name != "a.webp":
        assert told["resolution"] == "300"


@pytest.mark.parametrize("latitude", [(300, 0, 0), (30, 0), (IFDRational(1, 0), 0, 0), ()])
def test_a_place_that_can_not_be_is_none(tmp_path, latitude):
    told = said(photograph(tmp_path / "a.jpg", latitude=latitude or (0, 0, 0)))
    assert ("latitude" in told) == (latitude in ((30, 0), ()))


def test_values_are_made_plain(tmp_path):
    long = "设\x1b[31m备\u202e" + "长" * 5000
    told = said(photograph(tmp_path / "a.jpg", make=long.encode(), taken="0000:00:00 00:00:00"))
    assert "taken_at" not in told
    assert all(c.isprintable() for c in told["make"]) and len(told["make"]) <= facts.LONGEST
    assert told["make"].startswith("设")


def test_documents(tmp_path):
    with pikepdf.open(write_pdf(tmp_path / "a.pdf", "x", "y"), allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Producer"], pdf.docinfo["/Creator"] = "某软件", "WPS"
        pdf.docinfo["/CreationDate"] = "D:20260305100000+08'00'"
        pdf.save(tmp_path / "a.pdf", force_version="1.6")
    told = said(tmp_path / "a.pdf")
    assert told["producer"] == "某软件" and told["application"] == "WPS" and told["pages"] == "2"
    assert told["created"] == "2026-03-05T10:00:00+08:00" and told["format_version"] == "1.6"

    document = docx.Document()
    document.core_properties.author, document.core_properties.last_modified_by = "张三", "李四"
    document.core_properties.created = dt.datetime(2026, 3, 5, 2, 0)
    document.save(str(tmp_path / "a.docx"))
    told = said(tmp_path / "a.docx")
    assert (told["author"], told["last_modified_by"], told["created"]) == (
        "张三",
        "李四",
        "2026-03-05T02:00:00Z",
    )

    name = "张三".encode("gb18030") + b"\0"
    ticks = (dt.datetime(2026, 3, 5) - dt.datetime(1601, 1, 1)) // dt.timedelta(microseconds=1) * 10
    values = [
        struct.pack("<Ihxx", 2, 936),
        struct.pack("<II", 30, len(name)) + name + bytes(3),
        struct.pack("<IQ", 64, ticks),
    ]
    table, at = b"", 8 + 3 * 8
    for number, value in zip((1, 4, 12), values, strict=True):
        table += struct.pack("<II", number, at)
        at += len(value)
    section = struct.pack("<II", at, 3) + table + b"".join(values)
    stream = b"\xfe\xff" + bytes(22) + struct.pack("<I", 1) + bytes(16) + struct.pack("<I", 48) + section
    (tmp_path / "a.doc").write_bytes(
        compound("\x05SummaryInformation", "WordDocument", payload=stream + bytes(4096))
    )
    told = said(tmp_path / "a.doc")
    assert (told["author"], told["created"]) == ("张三", "2026-03-05T00:00:00+00:00")


def test_what_is_found_goes_on_record(inbox, gather):
    photograph(inbox / "a.jpg")
    photograph(inbox / "b.jpg", taken="1980:01:01 00:00:00")
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.jpg\n    collected_at: 2026年5月5日\n  - file: b.jpg\n", encoding="utf-8"
    )
    gathered = gather()
    assert dict(gathered.evidence[0].facts)["taken_at"] == "2026-03-05T10:00:00+08:00"
    assert gathered.evidence[0].puid
    assert {(f.code, f.subject) for f in gathered.findings if "CLOCK" in f.code} == {
        ("EVIDENCE-CLOCK-DIFFERS", "inbox/a.jpg"),
        ("EVIDENCE-CLOCK-WRONG", "inbox/b.jpg"),
    }
    assert json.loads(report_json.written(gathered.report(), "zh"))["parts"][0]["facts"]["model"] == "EOS"
    assert gather() == gathered


def test_a_mark_in_what_a_photograph_says_is_seen(inbox, gather):
    photograph(inbox / "a.jpg", make="机密★10年".encode())
    gathered = gather()
    assert gathered.refused and gathered.evidence == ()


@pytest.mark.parametrize(
    ("taken", "collected", "codes"),
    [
        ("2026-03-05T10:00:00+08:00", "2026-03-05", []),
        ("2026-03-06T20:00:00", "2026年3月5日", []),
        ("2026-03-07T10:00:00", "2026-03-05", ["EVIDENCE-CLOCK-DIFFERS"]),
        ("2026-03-03T23:00:00", "2026-03-05 09:00", ["EVIDENCE-CLOCK-DIFFERS"]),
        ("2026-03-05T10:00:00", "上午", []),
        ("2026-03-05T10:00:00", "", []),
        ("1999-12-31T10:00:00", "2026-03-05", ["EVIDENCE-CLOCK-WRONG"]),
        ("2027-01-01T10:00:00", "", ["EVIDENCE-CLOCK-WRONG"]),
        ("9999-12-31T23:59:59-14:00", "2026-03-05", ["EVIDENCE-CLOCK-WRONG"]),
        ("0001-01-01T00:00:00+14:00", "", ["EVIDENCE-CLOCK-WRONG"]),
        ("", "2026-03-05", []),
    ],
)
def test_a_clock_that_can_not_be_right(taken, collected, codes):
    now = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
    assert [code for code, _ in clock.complaints(taken, collected, now)] == codes


@settings(max_examples=150, deadline=5000)
@given(
    st.sampled_from(["a.jpg", "a.tif", "a.docx", "a.doc", "a.pdf"]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_nothing_breaks_it(samples, which, changes):
    data = bytearray((samples / which).read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path = samples / "mutated"
    path.write_bytes(data)
    pairs, _ = facts.read(path, sniff.media_type(samples / which), bytes(data[: sniff.HEAD]))
    assert all(isinstance(key, FactKey) and value == facts.plain(value) for key, value in pairs)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    photograph(folder / "a.jpg")
    photograph(folder / "a.tif")
    write_docx(folder / "a.docx")
    write_pdf(folder / "a.pdf", "x")
    (folder / "a.doc").write_bytes(compound("\x05SummaryInformation", "WordDocument"))
    return folder
