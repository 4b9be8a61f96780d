"""The inbox becomes evidence and parts; nothing in it is changed, lost or silently blank."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pikepdf
import pytest
from gather_files import (  # type: ignore[import-not-found]
    CASE_NO,
    write_docx,
    write_drawing,
    write_pdf,
)
from PIL import Image

from casefile.codes import codes, rendered
from casefile.formats.pdf import pdf_text
from casefile.gather import stage
from casefile.gather.workers import Lost, Workers
from casefile.model.terms import EvidenceKind, Route, Volume
from casefile.tools import verapdf


def found(gathered, code):
    return [f for f in gathered.findings if f.code == code]


def snapshot(folder: Path):
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def every_byte(folder: Path) -> bytes:
    return b"".join(p.name.encode() + p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def test_an_ordinary_inbox(inbox, gather, photo, context):
    photo.save(inbox / "现场照片.jpg")
    write_docx(inbox / "询问笔录.docx")
    write_drawing(inbox / "平面图.pdf")
    write_pdf(inbox / "函.pdf", "a letter", "second page")
    before = snapshot(inbox)

    gathered = gather()

    assert not gathered.refused
    assert [e.path for e in gathered.evidence] == ["函.pdf", "平面图.pdf", "现场照片.jpg", "询问笔录.docx"]
    assert [e.id for e in gathered.evidence] == [f"evidence-{n:03d}" for n in (1, 2, 3, 4)]
    assert [p.route for p in gathered.parts][1:] == [Route.REPAIRED, Route.CONVERTED, Route.CONVERTED]
    assert gathered.parts[0].route is Route.REPAIRED
    assert [p.pages for p in gathered.parts] == [2, 1, 1, 1]
    for part in gathered.parts:
        assert verapdf.check(part.pdf).compliant
    assert snapshot(inbox) == before
    letter = gathered.evidence[0]
    told = subprocess.run(["openssl", "dgst", "-sm3", "-r", inbox / "函.pdf"], capture_output=True, text=True)
    assert told.stdout.split()[0] == letter.sm3
    assert "a letter" in pdf_text.texts(gathered.parts[0].pdf)[0]
    assert all(rendered(f)["message"].count("{") == 0 for f in gathered.findings)


def test_again_does_no_conversion_and_gives_the_same(inbox, gather, photo, monkeypatch, context):
    photo.save(inbox / "a.png")
    write_pdf(inbox / "b.pdf", "text")
    (inbox / "c.mp3").write_bytes(b"ID3" + bytes(500))
    first = gather()
    pdfs = snapshot(context.workspace.case(CASE_NO).work / "parts")

    monkeypatch.setattr(Workers, "ask", lambda *a, **k: pytest.fail("converted again"))
    (inbox / "c.mp3").unlink()
    second = gather()
    assert second.parts == first.parts[:2]

    monkeypatch.undo()
    shutil.rmtree(context.workspace.case(CASE_NO).work / "parts")
    (inbox / "c.mp3").write_bytes(b"ID3" + bytes(500))
    assert gather() == first
    assert {p: data for p, (data, _) in pdfs.items()} == {
        p: data for p, (data, _) in snapshot(context.workspace.case(CASE_NO).work / "parts").items()
    }


def test_a_part_that_was_touched_is_made_again(inbox, gather, photo):
    photo.save(inbox / "a.png")
    part = gather().parts[0]
    part.pdf.write_bytes(part.pdf.read_bytes()[:-20])
    assert gather().parts[0] == part
    assert verapdf.check(part.pdf).compliant


def test_the_list_gives_order_and_facts(inbox, gather, photo):
    for name in ("a.jpg", "b.jpg", "照片/c.jpg"):
        (inbox / name).parent.mkdir(exist_ok=True)
        photo.save(inbox / name, quality=80 + len(name))
    (inbox / "evidence.yaml").write_text(
        """items:
  - file: 照片/c.jpg
    title: 现场照片三
    kind: 物证
    collected_by: 张三、李四
    collected_at: 2026年3月5日14时30分
    place: 滨江区
    proves: 占地事实
    volume: 副卷
    type: party_identity_proof
  - file: b.jpg
    colour: red
    kind: 照片
  - file: missing.pdf
  - file: b.jpg
""",
        encoding="utf-8",
    )
    gathered = gather()
    assert [e.path for e in gathered.evidence] == ["照片/c.jpg", "b.jpg", "a.jpg"]
    first = gathered.evidence[0]
    assert (first.title, first.kind, first.volume) == ("现场照片三", EvidenceKind.PHYSICAL, Volume.INTERNAL)
    assert first.type_id == "party_identity_proof"
    assert str(gathered.parts[0].date) == "2026-03-05"
    codes_found = {f.code for f in gathered.findings}
    assert {
        "EVIDENCE-LIST-KEY",
        "EVIDENCE-LIST-VALUE",
        "EVIDENCE-LISTED-MISSING",
        "EVIDENCE-LIST-TWICE",
        "EVIDENCE-NOT-LISTED",
    } <= codes_found
    assert any("第12行" in f.subject for f in found(gathered, "EVIDENCE-LIST-KEY"))


@pytest.mark.parametrize("path", ["../../x", "/etc/passwd", "..\\..\\x", "C:\\x", "a/../../x"])
def test_a_path_out_of_the_inbox_is_refused(inbox, gather, path):
    (inbox / "evidence.yaml").write_text(f"items:\n  - file: '{path}'\n", encoding="utf-8")
    gathered = gather()
    assert gathered.refused
    assert [f.code for f in gathered.findings] == ["EVIDENCE-PATH"]


def test_links_and_devices_are_not_followed(inbox, gather, tmp_path):
    (tmp_path / "secret.txt").write_text("outside")
    (inbox / "a.txt").symlink_to(tmp_path / "secret.txt")
    (inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(inbox / "pipe.pdf")
    gathered = gather()
    assert gathered.refused
    complaints = sorted(f.code for f in gathered.findings)
    assert complaints == ["EVIDENCE-LINK", "EVIDENCE-LINK", "EVIDENCE-NOT-A-FILE"]
    assert gathered.evidence == ()


def test_litter_is_no_evidence_and_lock_files_are_noted(inbox, gather):
    for name in (".DS_Store", "Thumbs.db", "~$询问笔录.docx"):
        (inbox / name).write_bytes(b"x")
    gathered = gather()
    assert gathered.evidence == ()
    assert [f.code for f in gathered.findings] == ["EVIDENCE-LOCK-FILE"]


def test_odd_names_are_taken_and_said(inbox, gather, photo):
    photo.save(inbox / "a.jpg")
    data = (inbox / "a.jpg").read_bytes()
    (inbox / "a.jpg").unlink()
    for name in ("e\u0301.jpg", "x\u202egpj.exe", "\udcff\udcfe.jpg", "长" * 80 + ".jpg"):
        (inbox / name).write_bytes(data)
    gathered = gather()
    assert len(gathered.evidence) == 4
    assert "é.jpg" in [e.path for e in gathered.evidence]
    assert len(found(gathered, "EVIDENCE-NAME")) == 2
    for evidence in gathered.evidence:
        evidence.path.encode()
        assert "\u202e" not in evidence.path


HOSTILE = {
    "empty.pdf": "EVIDENCE-EMPTY",
    "truncated.jpg": "EVIDENCE-CUT-OFF",
    "notes.exe": "EVIDENCE-FORMAT",
    "film.mp4": "EVIDENCE-MEDIA",
    "locked.pdf": "EVIDENCE-LOCKED",
    "thread of a page.pdf": "EVIDENCE-PAGE-SIZE",
    "bomb.docx": "EVIDENCE-BOMB",
    "bomb.pdf": "EVIDENCE-BOMB",
    "escape.docx": "EVIDENCE-BOMB",
    "bomb.png": "EVIDENCE-BOMB",
    "broken.docx": "EVIDENCE-DAMAGED",
    "loop.pdf": None,
    "garbage.pdf": "EVIDENCE-DAMAGED",
}


@pytest.fixture
def hostile(inbox, photo):
    (inbox / "empty.pdf").write_bytes(b"")
    photo.save(inbox / "truncated.jpg")
    os.truncate(inbox / "truncated.jpg", (inbox / "truncated.jpg").stat().st_size // 2)
    (inbox / "notes.exe").write_bytes(b"MZ" + bytes(300))
    (inbox / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(300))
    write_pdf(inbox / "locked.pdf", "x", encryption=pikepdf.Encryption(user="secret", owner="o"))
    write_pdf(inbox / "thread of a page.pdf", "x")
    with pikepdf.open(inbox / "thread of a page.pdf", allow_overwriting_input=True) as pdf:
        # Too long and too narrow for any scale; what is only too large is scaled.
        pdf.pages[0].mediabox = [0, 0, 2_000_000, 10]
        pdf.save(inbox / "thread of a page.pdf")
    with pikepdf.new() as pdf:
        pdf.add_blank_page().obj.Contents = pdf.make_stream(b" " * 300_000_000)
        pdf.save(inbox / "bomb.pdf")
    write_docx(inbox / "bomb.docx")
    with zipfile.ZipFile(inbox / "bomb.docx", "a", zipfile.ZIP_DEFLATED) as z:
        z.writestr("word/media/a.bin", bytes(60_000_000))
    write_docx(inbox / "escape.docx")
    with zipfile.ZipFile(inbox / "escape.docx", "a") as z:
        z.writestr("../../evil", b"x")
    Image.new("1", (20000, 20000)).save(inbox / "bomb.png")
    write_docx(inbox / "broken.docx")
    with zipfile.ZipFile(inbox / "broken.docx") as whole, zipfile.ZipFile(inbox / "x", "w") as z:
        for member in whole.infolist():
            data = whole.read(member)
            z.writestr(member, data[:200] if member.filename == "word/document.xml" else data)
    (inbox / "x").replace(inbox / "broken.docx")
    (inbox / "loop.pdf").write_bytes(
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    (inbox / "garbage.pdf").write_bytes(b"%PDF-1.4\n" + bytes(range(256)) * 20)


def test_what_can_not_be_taken_gets_a_placeholder_and_a_reason(hostile, inbox, gather, photo):
    photo.save(inbox / "good.jpg")
    gathered = gather()
    assert [e.path for e in gathered.evidence] == sorted([*HOSTILE, "good.jpg"])
    by_subject = {}
    for finding in gathered.findings:
        by_subject.setdefault(finding.subject, []).append(finding.code)
    for name, code in HOSTILE.items():
        assert by_subject[f"inbox/{name}"], name
        if code is not None:
            assert code in by_subject[f"inbox/{name}"], (name, by_subject[f"inbox/{name}"])
    for evidence, part in zip(gathered.evidence, gathered.parts, strict=True):
        good = evidence.path == "good.jpg"
        assert part.route is (Route.CONVERTED if good else Route.PLACEHOLDER), evidence.path
        assert part.original_sha256 == evidence.sha256
        assert verapdf.check(part.pdf).compliant
        if not good:
            text = "".join(pdf_text.texts(part.pdf)).replace(" ", "").replace("\n", "")
            assert evidence.sha256 in text
    assert {f.code for f in gathered.findings} <= set(codes())


def test_what_lies_too_deep_is_not_lost_without_a_word(inbox, gather, photo):
    deep = inbox.joinpath(*"x" * 40)
    deep.mkdir(parents=True)
    photo.save(deep / "a.png")
    assert stage.is_incomplete(gather().findings)


def test_a_mark_in_the_list_makes_its_file_a_secret(inbox, gather, photo, context):
    photo.save(inbox / "a.png")
    (inbox / "b.png").write_bytes((inbox / "a.png").read_bytes())
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.png\n    title: 机密★10年 ZQXJ-7\n  - file: b.png\n    title: 照片\n",
        encoding="utf-8",
    )
    gathered = gather()
    assert gathered.refused and [e.path for e in gathered.evidence] == ["b.png"]
    assert [p.route for p in gathered.parts] == [Route.REFUSED, Route.CONVERTED]
    assert len(found(gathered, "SECRECY-MARK")) == 1
    assert gather() == gathered
    parts = context.workspace.case(CASE_NO).work / "parts"
    assert not any(b"ZQXJ" in p.read_bytes() for p in parts.iterdir())


def test_the_same_bytes_under_two_names_become_what_each_name_says(inbox, gather):
    for name in ("a.csv", "b.txt"):
        (inbox / name).write_text("甲,乙\n1,2\n", encoding="utf-8")
    first = gather()
    assert [e.format for e in first.evidence] == ["text/csv", "text/plain"]
    assert gather() == first


def test_a_password_opens_and_is_written_nowhere(inbox, gather, context):
    write_pdf(inbox / "a.pdf", "locked text", encryption=pikepdf.Encryption(user="Zx-81-口令", owner="o"))
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.pdf\n    password: 'Zx-81-口令'\n", encoding="utf-8"
    )
    gathered = gather()
    assert gathered.parts[0].route is not Route.PLACEHOLDER
    assert "locked text" in pdf_text.texts(gathered.parts[0].pdf)[0]
    assert found(gathered, "PART-WAS-LOCKED")
    shutil.copytree(context.workspace.root, context.workspace.root.parent / "copy")
    (context.workspace.root.parent / "copy" / "cases" / CASE_NO / "inbox" / "evidence.yaml").unlink()
    assert "Zx-81-口令".encode() not in every_byte(context.workspace.root.parent / "copy")
    assert "Zx-81" not in repr(gathered)


def test_a_signed_pdf_loses_its_form_but_not_its_look(inbox, gather):
    write_drawing(inbox / "s.pdf")
    with pikepdf.open(inbox / "s.pdf", allow_overwriting_input=True) as pdf:
        value = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Sig))
        field = pdf.make_indirect(
            pikepdf.Dictionary(
                FT=pikepdf.Name.Sig,
                V=value,
                T=pikepdf.String("s"),
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                Rect=pikepdf.Array([0, 0, 0, 0]),
                F=132,
            )
        )
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), SigFlags=3)
        pdf.pages[0].obj.Annots = pikepdf.Array([field])
        pdf.save(inbox / "s.pdf")
    gathered = gather()
    assert found(gathered, "PART-SIGNED")
    with pikepdf.open(gathered.parts[0].pdf) as pdf:
        assert "/AcroForm" not in pdf.Root


def test_the_same_content_twice_is_kept_twice(inbox, gather, photo):
    photo.save(inbox / "a.jpg")
    shutil.copy(inbox / "a.jpg", inbox / "b.jpg")
    gathered = gather()
    assert len(gathered.evidence) == len(gathered.parts) == 2
    assert [f.params["other"] for f in found(gathered, "EVIDENCE-SAME")] == ["inbox/a.jpg"]


def test_a_file_that_changes_while_it_is_read_is_not_taken(inbox, gather, monkeypatch):
    write_drawing(inbox / "a.pdf")
    ask = Workers.ask

    def meanwhile(self, request, **more):
        if request["op"] == "make":
            os.utime(inbox / "a.pdf")
        return ask(self, request, **more)

    monkeypatch.setattr(Workers, "ask", meanwhile)
    gathered = gather()
    assert gathered.evidence == gathered.parts == ()
    assert [f.code for f in gathered.findings] == ["EVIDENCE-CHANGING"]
    monkeypatch.undo()
    assert len(gather().parts) == 1


SECRETS = {
    "body": lambda path: write_docx(path.with_suffix(".docx"), "机密★20年 关于某测绘成果的通知，坐标ZQXJ"),
    "header": lambda path: write_docx(path.with_suffix(".docx"), "坐标ZQXJ", header="秘密★10年"),
    "name": lambda path: write_docx(path.with_name("绝密★ 坐标ZQXJ.docx"), "坐标ZQXJ"),
    "text": lambda path: path.with_suffix(".txt").write_text("秘密★10年\n坐标ZQXJ", encoding="gb18030"),
}


@pytest.mark.parametrize("how", SECRETS)
def test_nothing_of_a_secret_is_stored(inbox, gather, context, how, photo):
    SECRETS[how](inbox / "涉密坐标ZQXJ")
    photo.save(inbox / "a.jpg")
    (secret,) = [p for p in inbox.iterdir() if "ZQXJ" in p.name]
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    gathered = gather()

    assert gathered.refused
    assert [f.code for f in gathered.findings] == ["SECRECY-MARK"]
    assert [e.path for e in gathered.evidence] == ["a.jpg"]
    part = gathered.parts[1]
    assert part.route is Route.REFUSED
    page = "".join(pdf_text.texts(part.pdf)[0].split())
    assert "涉密件另卷保存" in page and "002" in page and gathered.findings[0].params["level"] in page
    work = every_byte(context.workspace.case(CASE_NO).work)
    for trace in ("ZQXJ", "涉密坐标", digest):
        assert trace.encode() not in work
        assert trace not in repr(part)
    assert "ZQXJ" not in page


def test_a_secret_in_an_attachment_or_a_bookmark_is_found(inbox, gather):
    write_drawing(inbox / "a.pdf")
    with pikepdf.open(inbox / "a.pdf", allow_overwriting_input=True) as pdf:
        pdf.attachments["x.txt"] = "机密★10年".encode()
        pdf.save(inbox / "a.pdf")
    write_drawing(inbox / "b.pdf")
    with pikepdf.open(inbox / "b.pdf", allow_overwriting_input=True) as pdf:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("秘密★5年", 0))
        pdf.save(inbox / "b.pdf")
    gathered = gather()
    assert len(found(gathered, "SECRECY-MARK")) == 2
    assert gathered.evidence == ()


def test_a_picture_is_never_called_clean(inbox, gather, photo):
    photo.save(inbox / "a.jpg")
    assert [n.subject for n in gather().not_looked_at] == ["inbox/a.jpg"]


def test_without_scanners_nothing_is_called_clean(inbox, gather, monkeypatch):
    (inbox / "a.txt").write_text("普通文字", encoding="utf-8")
    ask = Workers.ask
    monkeypatch.setattr(Workers, "ask", lambda *a, **k: {**ask(*a, **k), "scanners": False})
    gathered = gather()
    assert len(gathered.evidence) == 1
    assert not gathered.refused
    assert [n.subject for n in gathered.not_looked_at] == ["inbox/a.txt"]


def test_a_worker_that_dies_or_hangs_costs_one_file(inbox, gather, photo, context, monkeypatch):
    write_pdf(inbox / "a.pdf", "kills")
    write_pdf(inbox / "b.pdf", "hangs")
    photo.save(inbox / "c.jpg")
    ask = Workers.ask

    def odd(self, request, **more):
        if request["path"].endswith("a.pdf") and request["op"] == "make":
            worker = self._idle.get()
            worker._running().kill()
            self._idle.put(worker)
            raise Lost("crash")
        if request["path"].endswith("b.pdf") and request["op"] == "make":
            return ask(self, request, seconds=0.01)
        return ask(self, request, **more)

    monkeypatch.setattr(Workers, "ask", odd)
    gathered = gather()
    assert [p.route for p in gathered.parts] == [Route.PLACEHOLDER, Route.PLACEHOLDER, Route.CONVERTED]
    assert [f.code for f in gathered.findings] == ["EVIDENCE-KILLED-READER", "EVIDENCE-TOOK-TOO-LONG"]
    monkeypatch.undo()
    assert Route.PLACEHOLDER not in [p.route for p in gather().parts]


def test_memory_is_bounded_by_the_kernel(context, tmp_path):
    small = context.config.limits.model_copy(update={"memory_per_part": 60_000_000})
    workers = Workers(small, count=1)
    write_pdf(tmp_path / "a.pdf", "x")
    started = time.monotonic()
    with pytest.raises(Lost):
        workers.ask({"op": "look", "path": str(tmp_path / "a.pdf"), "state": []}, seconds=10)
        raise Lost("answered")
    workers.close()
    assert time.monotonic() - started < 30


def test_no_inbox_is_no_evidence(gather):
    gathered = gather()
    assert gathered.evidence == gathered.parts == gathered.findings == ()


def test_normalise_writes_one_pdf_a_file(tmp_path, context, photo):
    photo.save(tmp_path / "a.jpg")
    write_pdf(tmp_path / "a.pdf", "text")
    (tmp_path / "b.txt").write_text("机密★10年\n内容", encoding="utf-8")
    report = stage.normalise([tmp_path / n for n in ("a.jpg", "a.pdf", "b.txt")], tmp_path / "out", context)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-2.pdf", "a.pdf"]
    assert report.parts[0].route is Route.CONVERTED
    assert report.parts[2].route is Route.REFUSED
    assert stage.is_unsafe(report.findings)
    for pdf in (tmp_path / "out").iterdir():
        assert verapdf.check(pdf).compliant
