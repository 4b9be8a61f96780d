"""Archives and mails in the inbox: every file in them becomes evidence, within bounds, and none slips by."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import subprocess
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import py7zr
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gather_files import CASE_NO, write_docx  # type: ignore[import-not-found]
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from casefile import bind
from casefile.codes import codes, rendered
from casefile.errors import BadInput, CasefileError, Refused
from casefile.formats.containers import archives, zip_bounds
from casefile.formats.identify import sniff
from casefile.formats.pdf import pdf_text
from casefile.gather import stage, unpack
from casefile.gather.cache import Cache
from casefile.gather.inbox import look
from casefile.gather.intake import Desk
from casefile.gather.workers import Workers
from casefile.model.case import Case
from casefile.model.terms import Route, Volume
from casefile.package import contents
from casefile.tools import verapdf

BOUNDS = zip_bounds.Bounds(50, 5_000_000)


def found(gathered, code):
    return [f for f in gathered.findings if f.code == code]


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "PNG")
    return out.getvalue()


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members:
            z.writestr(name, data)
    return out.getvalue()


def raw_named(name: bytes, data: bytes) -> bytes:
    """A zip file whose one name is these bytes, without the flag for UTF-8."""
    stand_in = "x" * len(name)
    return packed((stand_in, data)).replace(stand_in.encode(), name)


def seven(*members: tuple[str, bytes], password: str | None = None) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password) as z:
        for name, data in members:
            z.writestr(data, name)
    return out.getvalue()


def aes(name: str, data: bytes, password: bytes) -> bytes:
    """A zip file as 7-Zip writes it with a password: AE-2, AES-256."""
    import hashlib
    import hmac

    salt = bytes(range(16))
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 66)
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = squeezed.compress(data) + squeezed.flush()
    cipher = Cipher(algorithms.AES(keys[:32]), modes.ECB()).encryptor()
    stream = cipher.update(b"".join(n.to_bytes(16, "little") for n in range(1, len(plain) // 16 + 2)))
    body = bytes(a ^ b for a, b in zip(plain, stream, strict=False))
    body = salt + keys[64:] + body + hmac.new(keys[32:64], body, "sha1").digest()[:10]
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 8)
    raw = name.encode()
    common = struct.pack("<HHHHHIIIHH", 51, 0x801, 99, 0, 0x21, 0, len(body), len(data), len(raw), len(extra))
    local = b"PK\x03\x04" + common + raw + extra + body
    central = (
        b"PK\x01\x02" + struct.pack("<H", 51) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + raw + extra
    )
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def unpacked(data: bytes, tmp_path: Path, password: str = "", bounds=BOUNDS) -> dict[str, bytes]:
    source, folder = tmp_path / "a", tmp_path / "out"
    source.write_bytes(data)
    folder.mkdir()
    members = archives.unpack(source, sniff.media_type(source), folder, bounds, password)
    assert all(m.problem or (folder / m.stored).stat().st_size == m.size for m in members)
    return {m.name: (folder / m.stored).read_bytes() if m.stored else m.problem.encode() for m in members}


def test_an_archive_is_taken_apart(inbox, gather, context):
    (inbox / "a.png").write_bytes(picture())
    inner = packed(("深/图.png", picture("blue")))
    data = packed(
        ("照片/2.png", picture("green")), ("照片/1.png", picture()), ("内.zip", inner), (".DS_Store", b"x")
    )
    (inbox / "资料.zip").write_bytes(data)
    (inbox / "资料.7z").write_bytes(seven(("说明.docx", write_docx(inbox.parent / "x.docx").read_bytes())))
    gathered = gather()

    assert [e.path for e in gathered.evidence] == [
        "a.png",
        "资料.7z",
        "资料.7z/说明.docx",
        "资料.zip",
        "资料.zip/内.zip",
        "资料.zip/内.zip/深/图.png",
        "资料.zip/照片/1.png",
        "资料.zip/照片/2.png",
    ]
    assert [e.id for e in gathered.evidence] == [f"evidence-{n:03d}" for n in range(1, 9)]
    assert [e.inside for e in gathered.evidence] == [
        "",
        "",
        "资料.7z",
        "",
        "资料.zip",
        "资料.zip/内.zip",
        "资料.zip",
        "资料.zip",
    ]
    assert [p.route for p in gathered.parts] == [Route.CONVERTED] * 8
    assert all(e.original.read_bytes() for e in gathered.evidence)
    assert gathered.evidence[3].original.read_bytes() == data
    assert {f.subject for f in found(gathered, "EVIDENCE-SAME")} == {"inbox/资料.zip/照片/1.png"}
    assert len(found(gathered, "EVIDENCE-UNPACKED")) == 3
    assert not [f for f in gathered.findings if codes()[f.code].severity.value == "error"]
    page = "".join(pdf_text.texts(gathered.parts[3].pdf)).replace("\n", "").replace(" ", "")
    assert "照片/1.png" in page and "系统自带文件" in page and "007" in page
    assert gathered.evidence[6].sha256 in page
    assert all(verapdf.check(p.pdf).compliant for p in gathered.parts)
    assert all(rendered(f)["message"].count("{") == 0 for f in gathered.findings)
    assert not any(n.subject == "inbox/资料.zip" for n in gathered.not_looked_at)


def test_again_opens_nothing_and_a_touched_member_is_unpacked_again(inbox, gather, context, monkeypatch):
    (inbox / "a.zip").write_bytes(packed(("1.png", picture()), ("2.png", picture("blue"))))
    first = gather()
    monkeypatch.setattr(Workers, "ask", lambda *a, **k: pytest.fail("opened again"))
    assert gather() == first
    monkeypatch.undo()
    member = first.evidence[1].original
    member.write_bytes(member.read_bytes() + b"x")
    assert gather() == first
    (inbox / "a.zip").unlink()
    gather()
    assert list((context.workspace.case(CASE_NO).work / "unpacked").iterdir()) == []


def test_the_list_may_name_what_is_inside(inbox, gather):
    (inbox / "a.zip").write_bytes(
        packed(("1.png", picture()), ("2.png", picture("blue")), ("3.png", picture("green")))
    )
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.zip\n    volume: 副卷\n    collected_by: 张三\n"
        "  - file: a.zip/3.png\n    title: 第三张\n    kind: 物证\n"
        "  - file: a.zip/2.png\n    volume: 正卷\n    collected_by: 李四\n"
        "  - file: a.zip/missing.png\n",
        encoding="utf-8",
    )
    gathered = gather()
    assert [e.path for e in gathered.evidence] == ["a.zip", "a.zip/3.png", "a.zip/2.png", "a.zip/1.png"]
    assert [e.volume for e in gathered.evidence] == [
        Volume.INTERNAL,
        Volume.INTERNAL,
        Volume.MAIN,
        Volume.INTERNAL,
    ]
    assert [e.collected_by for e in gathered.evidence] == ["张三", "张三", "李四", "张三"]
    assert gathered.evidence[1].title == "第三张"
    (missing,) = found(gathered, "EVIDENCE-LISTED-MISSING")
    assert missing.params["file"] == "a.zip/missing.png"


def test_a_mail_brings_its_attachments(inbox, gather):
    message = EmailMessage()
    message["From"], message["To"] = "a@example.cn", "b@example.cn"
    message["Date"] = "Thu, 05 Mar 2026 10:00:00 +0800"
    message.set_content("见附件")
    message.add_attachment(picture(), maintype="image", subtype="png", filename="图.png")
    message.add_attachment(
        packed(("深.png", picture("blue"))), maintype="application", subtype="zip", filename="x.zip"
    )
    (inbox / "信.eml").write_bytes(message.as_bytes())
    gathered = gather()
    assert [e.path for e in gathered.evidence] == [
        "信.eml",
        "信.eml/x.zip",
        "信.eml/x.zip/深.png",
        "信.eml/图.png",
    ]
    assert gathered.evidence[3].inside == "信.eml"
    assert [p.route for p in gathered.parts][1:] == [Route.CONVERTED] * 3


def every_byte(folder: Path) -> bytes:
    return b"".join(p.name.encode() + p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.parametrize("how", ["zip", "nested", "7z", "mail", "name", "lost"])
def test_a_secret_inside_makes_the_whole_a_secret(inbox, gather, context, how):
    text = "机密★10年\nZQXJ-7 坐标".encode()
    other = b"ZQXJ-7 other words, kept with it"
    if how == "mail":
        message = EmailMessage()
        message["From"], message["To"], message["Date"] = "a@example.cn", "b@example.cn", "x"
        message.set_content("见附件")
        message.add_attachment(text, maintype="application", subtype="octet-stream", filename="x.txt")
        data = message.as_bytes()
    elif how == "7z":
        data = seven(("x.txt", text), ("y.txt", other))
    elif how == "nested":
        data = packed(("y.png", picture("blue")), ("in.zip", packed(("x.txt", text))))
    elif how == "name":
        data = packed(("机密★10年 ZQXJ-7.png", picture()))
    elif how == "lost":
        # Its bytes are no picture any more; its name would still stand on the list.
        broken = bytearray(packed(("机密★10年 ZQXJ-7.png", picture()), method=zipfile.ZIP_STORED))
        broken[broken.index(b"IHDR")] ^= 0xFF
        data = bytes(broken)
    else:
        data = packed(("x.txt", text), ("y.txt", other), ("z.png", picture("blue")))
    (inbox / "a.png").write_bytes(picture())
    (inbox / "资料").write_bytes(data)
    (inbox / "末.png").write_bytes(picture("green"))
    gathered = gather()
    assert gathered.refused
    assert [e.path for e in gathered.evidence] == ["a.png", "末.png"]
    assert [e.id for e in gathered.evidence] == ["evidence-001", "evidence-002"]
    assert [p.route for p in gathered.parts] == [Route.CONVERTED, Route.CONVERTED, Route.REFUSED]
    (mark,) = found(gathered, "SECRECY-MARK")
    assert mark.subject.startswith("inbox/资料")
    work = context.workspace.case(CASE_NO).work
    assert b"ZQXJ" not in every_byte(work)
    assert list((work / "unpacked").glob("*")) == []
    kept = {p.name for p in (work / "parts").iterdir()}
    assert {p.pdf.name for p in gathered.parts} == {n for n in kept if n.endswith(".pdf")}


def symlink() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        entry = zipfile.ZipInfo("link.txt")
        entry.create_system = 3
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        z.writestr(entry, "/etc/passwd")
        z.writestr("good.png", picture())
    return out.getvalue()


def overlapping() -> bytes:
    """Many entries of the directory that all lead to the same bytes."""
    data = packed(("a", bytes(40_000)))
    at = data.index(b"PK\x01\x02")
    entry = data[at : data.index(b"PK\x05\x06")]
    many = b"".join(entry[:46] + b"%c" % (97 + n) + entry[47:] for n in range(20))
    return data[:at] + many + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 20, 20, len(many), at, 0)


UNSAFE = {
    "up": (packed(("../../evil.txt", b"x")), "EVIDENCE-PATH"),
    "up by backslash": (packed(("a\\..\\..\\evil.txt", b"x")), "EVIDENCE-PATH"),
    "root": (packed(("/etc/passwd", b"x")), "EVIDENCE-PATH"),
    "drive": (packed(("C:\\evil.txt", b"x")), "EVIDENCE-PATH"),
    "link": (symlink(), "EVIDENCE-LINK"),
    "overlap": (overlapping(), "EVIDENCE-BOMB"),
    "ratio": (packed(("a", bytes(60_000_000))), "EVIDENCE-BOMB"),
    "solid": (seven(("a", bytes(60_000_000))), "EVIDENCE-BOMB"),
    "many": (packed(*((str(n), b"") for n in range(2_100))), "EVIDENCE-BOMB"),
}


def test_what_is_built_to_harm_is_refused_by_name(inbox, gather):
    for name, (data, _) in UNSAFE.items():
        (inbox / f"{name}.bin").write_bytes(data)
    gathered = gather()
    assert gathered.refused
    for name, (_, code) in UNSAFE.items():
        subjects = [f.subject for f in found(gathered, code)]
        assert any(s.startswith(f"inbox/{name}.bin") for s in subjects), (name, subjects)
    assert "good.png" in {Path(e.path).name for e in gathered.evidence}
    assert not any("evil" in e.path or "passwd" in e.path for e in gathered.evidence)


def test_bounds_count_everything_in_one_archive_together(inbox, context):
    limits = context.config.limits.model_copy(update={"archive_members": 20})
    inner = [(f"{n}.zip", packed(*((str(m), b"") for m in range(6)))) for n in range(4)]
    (inbox / "a.zip").write_bytes(packed(*inner))
    desk = Desk(context, Cache(inbox.parent / "parts", limits), inbox.parent)
    opener = unpack.Opener(inbox.parent / "unpacked", desk, limits)
    (item,) = look(inbox, CASE_NO, {}).items
    (opened,) = opener.open(item)
    assert opened.intake.problem == ("EVIDENCE-BOMB", {})
    opener.sweep({opened.key})
    assert list((inbox.parent / "unpacked").iterdir()) == []


def test_what_can_not_be_opened_gets_a_placeholder(inbox, gather):
    nested = picture()
    for number in range(5):
        nested = packed((f"{number}.zip" if number else "a.png", nested))
    whole = packed(("1.png", picture()), ("2.png", picture("blue")))
    for name, data in {
        "截断.zip": whole[: len(whole) // 2],
        "锁.zip": aes("a.png", picture(), b"secret"),
        "锁.7z": seven(("a.png", picture()), password="secret"),
        "深.zip": nested,
        "旧.rar": b"Rar!\x1a\x07\1\0" + bytes(50),
        "坏.7z": seven(("a.png", picture()))[:-5],
    }.items():
        (inbox / name).write_bytes(data)
    gathered = gather()
    assert not gathered.refused
    told = {f.subject: f.code for f in gathered.findings if codes()[f.code].severity.value == "error"}
    assert told == {
        "inbox/截断.zip": "EVIDENCE-DAMAGED",
        "inbox/坏.7z": "EVIDENCE-DAMAGED",
        "inbox/锁.zip": "EVIDENCE-LOCKED",
        "inbox/锁.7z": "EVIDENCE-LOCKED",
        "inbox/深.zip/4.zip/3.zip/2.zip": "EVIDENCE-TOO-DEEP",
        "inbox/旧.rar": "EVIDENCE-UNPACK-FIRST",
    }
    assert set(told) <= {n.subject for n in gathered.not_looked_at}


def test_a_password_opens_an_archive_and_what_is_in_it(inbox, gather):
    (inbox / "a.zip").write_bytes(aes("图.png", picture(), "口令1".encode("gb18030")))
    (inbox / "b.7z").write_bytes(seven(("图.png", picture("blue")), password="口令2"))
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.zip\n    password: 口令1\n  - file: b.7z\n    password: 口令2\n",
        encoding="utf-8",
    )
    gathered = gather()
    assert [e.path for e in gathered.evidence] == ["a.zip", "a.zip/图.png", "b.7z", "b.7z/图.png"]
    assert {p.route for p in gathered.parts} == {Route.CONVERTED}


def test_names_as_their_makers_meant_them(tmp_path):
    for number, (data, name) in enumerate(
        [
            (raw_named("现场照片.txt".encode("gb18030"), b"x"), "现场照片.txt"),
            (raw_named("现场照片.txt".encode(), b"x"), "现场照片.txt"),
            (packed(("现场/照片.txt", b"x")), "现场/照片.txt"),
            (raw_named("文件夹\\图.txt".encode("gb18030"), b"x"), "文件夹/图.txt"),
            (packed(("e\u0301.txt", b"x")), "é.txt"),
        ]
    ):
        (tmp_path / str(number)).mkdir()
        assert unpacked(data, tmp_path / str(number)) == {name: b"x"}


def test_odd_names_are_mapped_and_said(inbox, gather):
    with pytest.warns(UserWarning):
        data = packed(
            ("a?.txt", b"1"),
            ("CON.txt", b"2"),
            ("x\u202etxt.exe", b"3"),
            ("twice.txt", b"4"),
            ("twice.txt", b"5"),
        )
    (inbox / "a.zip").write_bytes(data)
    gathered = gather()
    assert sorted(e.path for e in gathered.evidence[1:]) == [
        "a.zip/_CON.txt",
        "a.zip/a_.txt",
        "a.zip/twice.txt",
        "a.zip/twice.txt (2)",
        "a.zip/x_txt.exe",
    ]
    assert len(found(gathered, "EVIDENCE-NAME")) == 4


def test_one_damaged_member_is_told_and_the_others_are_taken(inbox, gather):
    data = bytearray(packed(("1.png", picture()), ("2.png", picture("blue")), method=zipfile.ZIP_STORED))
    data[60] ^= 0xFF
    (inbox / "a.zip").write_bytes(data)
    gathered = gather()
    assert [e.path for e in gathered.evidence] == ["a.zip", "a.zip/2.png"]
    (lost,) = found(gathered, "EVIDENCE-MEMBER-LOST")
    assert lost.params["file"] == "1.png"


def test_damaged_data_of_bzip2_is_the_members_own_fault(inbox, gather):
    data = bytearray(packed(("1.txt", b"words " * 500), ("2.png", picture()), method=zipfile.ZIP_BZIP2))
    at = data.index(b"BZh") + 12
    data[at : at + 18] = b"\xff" * 18
    (inbox / "a.zip").write_bytes(data)
    gathered = gather()
    assert [e.path for e in gathered.evidence] == ["a.zip", "a.zip/2.png"]
    assert len(found(gathered, "EVIDENCE-MEMBER-LOST")) == 1


def test_real_programs(tmp_path, inbox):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "图.txt").write_bytes(b"content")
    subprocess.run(["zip", "-q", "-r", "-P", "abc", tmp_path / "x", "in"], cwd=tmp_path, check=True)
    (tmp_path / "out").mkdir()
    assert {"in/图.txt"} == {
        m.name for m in archives.unpack(tmp_path / "x.zip", sniff.ZIP, tmp_path / "out", BOUNDS, "abc")
    }
    with pytest.raises(BadInput, match="ZIP-LOCKED"):
        archives.unpack(tmp_path / "x.zip", sniff.ZIP, tmp_path / "out", BOUNDS, "abd")


def test_a_large_file_in_zip64(tmp_path):
    with zipfile.ZipFile(tmp_path / "z", "w") as z, z.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"x" * 1000)
    assert unpacked((tmp_path / "z").read_bytes(), tmp_path) == {"a.txt": b"x" * 1000}


GOOD = (
    packed(("a/1.txt", b"content" * 50), ("b.txt", b"x"), ("c", b"")),
    seven(("a/1.txt", b"content" * 50), ("b.txt", b"x")),
    aes("a.txt", b"content" * 50, b"secret"),
)


@settings(max_examples=200, deadline=4000)
@given(
    st.integers(0, 2),
    st.lists(st.tuples(st.integers(0, 800), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 900),
)
def test_nothing_breaks_it(tmp_path_factory, which, changes, length):
    data = bytearray(GOOD[which])
    for at, value in changes:
        data[at % len(data)] = value
    folder = tmp_path_factory.mktemp("f")
    kind = (sniff.ZIP, sniff.SEVEN_ZIP, sniff.ZIP)[which]
    (folder / "a").write_bytes(bytes(data[: max(length, 100)]) if length % 3 == 0 else bytes(data))
    (folder / "out").mkdir()
    try:
        members = archives.unpack(folder / "a", kind, folder / "out", BOUNDS, "secret" if which == 2 else "")
    except (BadInput, Refused):
        pass
    except (CasefileError, MemoryError):
        raise
    else:
        assert {m.stored for m in members if m.stored} == {p.name for p in (folder / "out").iterdir()}
        assert all(not m.name.startswith("/") and ".." not in m.name.split("/") for m in members)


def test_normalise_takes_an_archive_apart(tmp_path, context):
    (tmp_path / "资料.zip").write_bytes(packed(("照片/1.png", picture()), ("2.png", picture("blue"))))
    report = stage.normalise([tmp_path / "资料.zip"], tmp_path / "out", context)
    made = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.pdf"))
    assert made == ["资料.pdf", "资料/2.pdf", "资料/照片/1.pdf"]
    assert len(report.parts) == 3
    assert not list((tmp_path / "out").glob(".*"))


def test_members_are_bound_and_kept_byte_for_byte(inbox, gather, context, tmp_path):
    data = packed(("照片/1.png", picture()), ("2.png", picture("blue")))
    (inbox / "资料.zip").write_bytes(data)
    gathered = gather()
    folder = context.workspace.case(CASE_NO).root
    (folder / "case.yaml").write_text("x", encoding="utf-8")
    case = Case(
        CASE_NO, ("general_penalty",), "某案", "某公司", folder, {}, (), hashlib.sha256(b"x").hexdigest()
    )
    dossier = bind.bind(case, gathered.parts, context)
    titles = [placement.part.title for volume in dossier.volumes for placement in volume.placements]
    assert titles == ["资料", "2", "1"]
    stored = [contents.place(e, tmp_path / "p") for e in contents.own_files(case, (), gathered.evidence)]
    assert [one.sha256 for one in stored[:3]] == [e.sha256 for e in gathered.evidence]
    assert (tmp_path / "p" / stored[0].entry.path).read_bytes() == data
    assert (tmp_path / "p" / stored[2].entry.path).read_bytes() == picture()
