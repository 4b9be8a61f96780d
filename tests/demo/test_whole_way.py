"""The whole way of a case, played once on the real components, and what must be true of it afterwards."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pikepdf
import pytest
from lxml import etree

from casefile import audit, package, pipeline, verify
from casefile.cli import run
from casefile.codes import severities
from casefile.context import Context
from casefile.demo import sample
from casefile.demo.play import Story, play
from casefile.formats.signatures import pades_verify
from casefile.model.finding import Report
from casefile.model.terms import Outcome, Volume


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    return folder, play(folder)


@pytest.fixture
def copy(demo: tuple[Path, Story], tmp_path: Path) -> Path:
    """The finished workspace, to be damaged."""
    target = tmp_path / "workspace"
    shutil.copytree(demo[0], target, symlinks=True)
    return target


def _outcome(report: Report) -> Outcome:
    return report.outcome(severities())


def _verified(workspace: Path, case_no: str = sample.COMPLETE) -> Report:
    with Context.open(workspace) as context:
        return verify.case(case_no, context)


def test_the_complete_case_verifies(demo: tuple[Path, Story]) -> None:
    story = demo[1]
    assert story.verified is not None
    assert story.verified.findings == () and story.verified.not_looked_at == ()
    assert _outcome(story.verified) is Outcome.PASSED


def test_what_the_seal_stands_on_is_sealed_one_by_one_and_travels_with_the_package(
    demo: tuple[Path, Story],
) -> None:
    folder = demo[0] / "cases" / sample.COMPLETE / "documents" / "issued"
    sealed = {path.name for path in folder.glob("*.signed.pdf")}
    assert {"penalty_prior_notice.signed.pdf", "penalty_decision.signed.pdf"} <= sealed
    assert "filing_approval.signed.pdf" not in sealed, "an approval bears no seal"
    packed = {path.name: path for path in _package_files(demo[0])}
    for name in sealed:
        assert packed[name].read_bytes() == (folder / name).read_bytes()
        seal, *_ = pades_verify.validate(folder / name, [demo[0] / "trust" / "root.pem"])
        assert seal.intact and seal.covers and seal.docmdp_ok


def test_the_manifest_tells_what_drew_the_documents(demo: tuple[Path, Story]) -> None:
    (manifest,) = [path for path in _package_files(demo[0]) if path.name == "manifest.xml"]
    root = etree.parse(str(manifest)).getroot()
    space = {"m": root.nsmap[None]}
    fonts = {font.get("family") for font in root.iterfind(".//m:informationSystem/m:font", space)}
    assert {"仿宋", "方正小标宋简体", "楷体", "黑体"} <= fonts
    engines = [p.get("version") for p in root.iterfind(".//m:program[@name='LibreOffice']", space)]
    assert len(engines) == 1 and engines[0].startswith("LibreOffice ")


def test_the_audit_finds_exactly_what_was_planted(demo: tuple[Path, Story]) -> None:
    story = demo[1]
    assert story.audited is not None
    assert {(f.case_no, f.code) for f in story.audited.findings} == sample.planted()
    assert _outcome(story.audited) is Outcome.FAILED


def test_the_secret_file_is_refused_and_nothing_of_it_is_kept(demo: tuple[Path, Story]) -> None:
    folder, story = demo
    assert story.gathered is not None and story.gathered.refused
    words = ("假想涉密件".encode(), "测绘成果说明".encode())
    kept = [
        path
        for path in folder.rglob("*")
        if path.is_file() and "inbox" not in path.parts and any(w in path.read_bytes() for w in words)
    ]
    assert kept == []


def test_gathering_a_secret_leaves_with_code_5(
    demo: tuple[Path, Story], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(demo[0]), "gather", sample.INCOMPLETE]) == 5
    assert run(["-w", str(demo[0]), "close", sample.INCOMPLETE]) == 5
    assert "涉密" in capsys.readouterr().err


def test_originals_are_untouched_and_travel_byte_for_byte(demo: tuple[Path, Story]) -> None:
    folder = demo[0]
    inbox = folder / "cases" / sample.COMPLETE / "inbox"
    kept = {p.read_bytes() for p in (folder / "archive").rglob("*") if p.is_file()}
    received = [p for p in inbox.rglob("*") if p.is_file() and p.name != "evidence.yaml"]
    assert len(received) == 16
    assert all(p.read_bytes() in kept for p in received)


def test_closing_again_changes_nothing(demo: tuple[Path, Story], capsys: pytest.CaptureFixture[str]) -> None:
    folder = demo[0]
    before = {p: p.read_bytes() for p in (folder / "archive").rglob("*") if p.is_file()}
    assert run(["-w", str(folder), "close", sample.COMPLETE]) == 0, capsys.readouterr().err
    assert {p: p.read_bytes() for p in (folder / "archive").rglob("*") if p.is_file()} == before


def test_closing_again_without_the_work_folder_changes_nothing(copy: Path) -> None:
    shutil.rmtree(copy / "cases" / sample.COMPLETE / "work")
    before = sorted(p.name for p in (copy / "archive").rglob("*"))
    assert run(["-w", str(copy), "close", sample.COMPLETE]) == 0
    assert sorted(p.name for p in (copy / "archive").rglob("*")) == before


def test_volumes_are_bound_to_the_same_bytes_again(demo: tuple[Path, Story], tmp_path: Path) -> None:
    """A second workspace with the same inputs and clock gives the same bytes, up to the signature."""
    folder = demo[0]
    bound = [
        p
        for p in (folder / "cases" / sample.COMPLETE / "work").rglob("*.pdf")
        if "bound" in str(p) or "bind" in str(p)
    ]
    again = tmp_path / "again"
    for name in ("casefile.toml", "cases", "keys", "trust", "casefile.db"):
        source = folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, again / name) if again.exists() else (
            again.mkdir(),
            (shutil.copytree if source.is_dir() else shutil.copy)(source, again / name),
        )
    work = again / "cases" / sample.COMPLETE / "work"
    records = [json.loads(p.read_text(encoding="utf-8")) for p in work.glob("bound/*/dossier.json")]
    moments = {re.search(r'"bound_at": "([^"]+)"', json.dumps(record))[1] for record in records}  # type: ignore[index]
    assert len(moments) == 1 and len(bound) >= 2
    shutil.rmtree(work)
    shutil.rmtree(again / "archive", ignore_errors=True)
    now = dt.datetime.fromisoformat(moments.pop())
    with Context.open(again, now=lambda: now) as context:
        done = pipeline.run(sample.COMPLETE, context, until=pipeline.Stage.BIND)
    assert done.dossier is not None
    first = {p.read_bytes() for p in bound}
    assert all(volume.pdf.read_bytes() in first for volume in done.dossier.volumes)


def _package_files(workspace: Path) -> list[Path]:
    return [
        p for p in sorted((workspace / "archive").rglob("*")) if p.is_file() and "extensions" not in p.parts
    ]


@pytest.mark.parametrize(
    "which",
    ["manifest.xml", "main.pdf", "case.yaml", ".jpg", ".docx", "manifest.xml.p7s", "manifest.xml.tsr"],
)
def test_one_flipped_byte_is_found_and_named(copy: Path, which: str) -> None:
    victim = next(p for p in _package_files(copy) if p.name.endswith(which))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(data)
    report = _verified(copy)
    assert _outcome(report) is Outcome.FAILED
    told = " ".join(f"{f.subject} {' '.join(f.params.values())}" for f in report.findings)
    assert victim.name in told


def test_a_removed_file_is_named(copy: Path) -> None:
    victim = next(p for p in _package_files(copy) if p.suffix == ".docx")
    victim.unlink()
    report = _verified(copy)
    assert _outcome(report) is Outcome.FAILED
    assert any(
        victim.name in f.subject or victim.name in " ".join(f.params.values()) for f in report.findings
    )


def test_a_case_that_was_never_archived_does_not_verify(demo: tuple[Path, Story]) -> None:
    assert _outcome(_verified(demo[0], sample.INCOMPLETE)) is not Outcome.PASSED
    assert _outcome(_verified(demo[0], sample.WITHOUT_FILE)) is not Outcome.PASSED


def test_every_signed_volume_keeps_its_front_matter(demo: tuple[Path, Story]) -> None:
    signed = sorted((demo[0] / "cases" / sample.COMPLETE / "work" / "signed").rglob("*.pdf"))
    assert len(signed) == 2
    for path in signed:
        with pikepdf.open(path) as pdf:
            assert pdf.Root.PageMode == pikepdf.Name.UseOutlines
            assert len(pdf.open_outline().root) > 0
            assert pdf.attachments


def test_two_closings_at_once_do_not_mix(copy: Path, command: list[str]) -> None:
    shutil.rmtree(copy / "cases" / sample.COMPLETE / "work")
    both = [
        subprocess.Popen(
            [*command, "-w", str(copy), "close", sample.COMPLETE],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    codes = sorted(process.wait(timeout=300) for process in both)
    assert codes in ([0, 7], [0, 0])
    assert _outcome(_verified(copy)) is Outcome.PASSED


def test_killed_at_any_moment_a_second_run_completes(
    demo: tuple[Path, Story], tmp_path: Path, command: list[str]
) -> None:
    """kill -9 after a while, again and again, then once to the end: archived once, verified."""
    from casefile.demo import pki_service

    target = tmp_path / "workspace"
    shutil.copytree(demo[0], target, symlinks=True)
    shutil.rmtree(target / "archive")
    (target / "archive").mkdir()
    shutil.rmtree(target / "cases" / sample.COMPLETE / "work")
    (target / "casefile.db").unlink()
    for path in (target / "cases" / sample.COMPLETE / "documents").rglob("*"):
        if path.is_file():
            path.unlink()
    service = pki_service.Service(target).start()
    try:
        assert run(["-w", str(target), "register", "import", str(target / "执法台账.xlsx")]) == 0
        for wait in (1.5, 3.5, 5.5, 7.5):
            process = subprocess.Popen(
                [*command, "-w", str(target), "close", sample.COMPLETE],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(wait)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert run(["-w", str(target), "close", sample.COMPLETE]) == 0
    finally:
        service.close()
    assert _outcome(_verified(target)) is Outcome.PASSED


def test_without_a_timestamp_authority_signing_stops_and_says_so(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's services do not run here: never a silent downgrade."""
    shutil.rmtree(copy / "archive")
    (copy / "archive").mkdir()
    shutil.rmtree(copy / "cases" / sample.COMPLETE / "work" / "signed")
    assert run(["-w", str(copy), "close", sample.COMPLETE]) == 6
    assert "下一步：" in capsys.readouterr().err
    assert not any((copy / "archive").rglob("manifest.xml"))


def test_the_audit_sees_an_archive_that_was_swapped(copy: Path) -> None:
    with Context.open(copy) as context:
        assert _outcome(audit.audit(context)) is Outcome.FAILED
    victim = next(p for p in _package_files(copy) if p.name == "manifest.xml")
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes().replace("云栖仓储".encode(), "云栖物流".encode()))
    with Context.open(copy) as context:
        codes = {f.code for f in audit.audit(context).findings if f.case_no == sample.COMPLETE}
    assert codes


def test_the_report_of_a_closing_counts_what_could_not_be_read(demo: tuple[Path, Story]) -> None:
    """Pictures hold no text that a scanner could read; that is said, not passed over."""
    with Context.open(demo[0]) as context:
        report = pipeline.scan([sample.COMPLETE], context)
    assert report.not_looked_at
    assert dataclasses.replace(report, findings=()).outcome(severities()) is Outcome.INDETERMINATE


def test_a_case_that_lacks_documents_is_not_archived(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "cases" / sample.INCOMPLETE / "inbox" / "测绘成果说明.docx").unlink()
    assert run(["-w", str(copy), "close", sample.INCOMPLETE]) == 3
    said = capsys.readouterr().err
    assert "还不完整" in said and "《违法线索登记表》" in said and "送达回证" in said
    assert run(["-w", str(copy), "bind", sample.INCOMPLETE]) == 0


def test_a_change_after_archiving_never_overwrites(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {p: p.read_bytes() for p in (copy / "archive").rglob("*") if p.is_file()}
    inbox = copy / "cases" / sample.COMPLETE / "inbox"
    (inbox / "后补.jpg").write_bytes((inbox / "04 现场" / "现场照片1.jpg").read_bytes())
    assert run(["-w", str(copy), "close", sample.COMPLETE]) == 7
    assert "已归档" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in (copy / "archive").rglob("*") if p.is_file()} == before


def test_an_exported_bag_is_valid_and_verifies_on_its_own(
    demo: tuple[Path, Story], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import bagit

    target = tmp_path / "移交包"
    assert run(["-w", str(demo[0]), "export", sample.COMPLETE, "--bag", str(target)]) == 0
    bagit.Bag(str(target)).validate()
    assert run(["-w", str(demo[0]), "export", sample.COMPLETE, "--bag", str(target)]) == 7
    with Context.open(demo[0]) as context:
        report = verify.package(target / "data", context)
    assert not report.findings


def test_an_exported_zip_holds_every_file(demo: tuple[Path, Story], tmp_path: Path) -> None:
    target = tmp_path / "案卷.zip"
    assert run(["-w", str(demo[0]), "export", sample.COMPLETE, "--zip", str(target)]) == 0
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
    assert {
        "manifest.xml",
        "manifest.xml.p7s",
        "manifest.xml.tsr",
        "volumes/main.pdf",
        "data/case.yaml",
    } <= names


def test_a_file_is_normalised_without_any_workspace(
    demo: tuple[Path, Story],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "听证笔录.pdf"
    kept.write_bytes(b"somebody else wrote this")
    letter = demo[0] / "cases" / sample.COMPLETE / "inbox" / "06 听证" / "听证笔录.docx"
    assert run(["normalise", str(letter), "-o", ".", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [part["route"] for part in report["parts"]] == ["converted"]
    assert report["parts"][0]["pages"] == 1 and report["parts"][0]["difference"] is not None
    assert (tmp_path / "听证笔录-2.pdf").read_bytes().startswith(b"%PDF")
    assert kept.read_bytes() == b"somebody else wrote this"


def test_the_ledger_proves_a_case_and_can_be_anchored(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from casefile.demo import pki_service

    assert run(["-w", str(copy), "ledger", "prove", sample.COMPLETE]) == 0
    assert json.loads(capsys.readouterr().out)
    service = pki_service.Service(copy).start()
    try:
        assert run(["-w", str(copy), "ledger", "anchor"]) == 0
    finally:
        service.close()
    assert run(["-w", str(copy), "ledger", "check"]) == 0


def test_a_secret_in_the_case_data_stops_before_anything_is_issued(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = copy / "cases" / sample.INCOMPLETE / "case.yaml"
    (copy / "cases" / sample.INCOMPLETE / "inbox" / "测绘成果说明.docx").unlink()
    data.write_text(
        data.read_text(encoding="utf-8").replace("接到举报", "接到机密★20年举报"), encoding="utf-8"
    )
    assert run(["-w", str(copy), "bind", sample.INCOMPLETE]) == 5
    assert "case.yaml" in capsys.readouterr().err
    assert not any((copy / "cases" / sample.INCOMPLETE / "documents").rglob("*.pdf"))


def test_damaged_evidence_is_not_archived_and_the_run_completes_once_it_is_whole(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copy / "archive")
    (copy / "archive").mkdir()
    (copy / "casefile.db").unlink()
    assert run(["-w", str(copy), "register", "import", str(copy / "执法台账.xlsx")]) == 0
    shutil.rmtree(copy / "cases" / sample.COMPLETE / "documents")
    broken = copy / "cases" / sample.COMPLETE / "inbox" / "08 执行" / "罚没款票据.pdf"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 3])
    assert run(["-w", str(copy), "archive", sample.COMPLETE]) == 3
    assert "罚没款票据" in capsys.readouterr().err
    assert not any((copy / "archive").rglob("manifest.xml"))
    broken.write_bytes(whole)
    from casefile.demo import pki_service

    service = pki_service.Service(copy).start()
    try:
        assert run(["-w", str(copy), "archive", sample.COMPLETE]) == 0
    finally:
        service.close()


def test_a_damaged_package_is_not_exported(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = next(p for p in _package_files(copy) if p.name == "main.pdf")
    data = bytearray(victim.read_bytes())
    data[1000] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(data)
    assert run(["-w", str(copy), "export", sample.COMPLETE, "--zip", str(copy / "x.zip")]) == 7
    assert "volumes/main.pdf" in capsys.readouterr().err and not (copy / "x.zip").exists()


def test_rewritten_answers_in_the_database_do_not_fool_the_audit(copy: Path) -> None:
    with sqlite3.connect(copy / "casefile.db") as database:
        database.execute("update audit_answers set answer = '[[],[]]'")
    with Context.open(copy) as context:
        found = {(f.case_no, f.code) for f in audit.audit(context).findings}
    assert found == sample.planted()


def test_a_number_of_a_person_is_masked_wherever_it_stands(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(copy / "casefile.db") as database:
        database.execute(
            "update register set title = '张某990000197203150019案' where case_no = ?", (sample.WITHOUT_FILE,)
        )
    assert run(["-w", str(copy), "audit", "--json"]) == 1
    assert "990000197203150019" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["0=ocfl_1.1", "ocfl_layout.json"])
def test_a_byte_of_the_storage_root_is_found(copy: Path, name: str) -> None:
    path = copy / "archive" / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert _outcome(_verified(copy)) is Outcome.FAILED


def test_a_decision_can_not_state_two_fines(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = copy / "cases" / sample.COMPLETE / "case.yaml"
    text = data.read_text(encoding="utf-8")
    data.write_text(text.replace('fine_amount: "324050.00"', 'fine_amount: "32405.00"'), encoding="utf-8")
    assert run(["-w", str(copy), "fill", sample.COMPLETE]) == 3
    assert "罚款合计" in capsys.readouterr().err


def test_what_came_late_is_added_behind_what_is_archived(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """补充归卷: killed between archive and ledger, then completed; no archived byte changes."""
    from casefile.demo import pki_service

    inbox = copy / "cases" / sample.COMPLETE / "inbox"
    first = _archived(copy)
    reason = "归档后收到法院裁定书"
    supplement = ["-w", str(copy), "supplement", sample.COMPLETE, "--reason", reason]
    assert run(supplement) == 7
    assert "没有要补充的材料" in capsys.readouterr().err
    assert run([*supplement[:-1], " "]) == 3
    assert run([*supplement[:-1], "补当事人身份证11010519491231002X"]) == 3
    (inbox / "00-法院裁定书.txt").write_text("行政裁定书\n准予强制执行。\n", encoding="utf-8")
    assert run(["-w", str(copy), "close", sample.COMPLETE]) == 7
    assert f"casefile supplement {sample.COMPLETE} --reason" in capsys.readouterr().err
    ruin = next(inbox.rglob("现场照片1.jpg"))
    whole = ruin.read_bytes()
    ruin.write_bytes(whole + b"\0")
    assert run(supplement) == 7
    assert "现场照片1.jpg" in capsys.readouterr().err
    ruin.write_bytes(whole)
    assert _archived(copy) == first

    service = pki_service.Service(copy).start()
    try:
        cut = subprocess.run(
            [sys.executable, Path(__file__).with_name("supplement_run.py"), copy, sample.COMPLETE],
            capture_output=True,
            check=False,
        )
        assert cut.returncode == -signal.SIGKILL, cut.stderr[-2000:]
        assert run(supplement) == 0, "what was cut off is completed"
        assert run(supplement) == 7, "and not added twice"
    finally:
        service.close()

    then = _archived(copy)
    assert {path: then[path] for path in first if "/v1/" in path} == {
        path: digest for path, digest in first.items() if "/v1/" in path
    }
    assert _outcome(_verified(copy)) is Outcome.PASSED
    with Context.open(copy) as context:
        there = package.filed(sample.COMPLETE, context)
        assert {(f.case_no, f.code) for f in audit.audit(context).findings} == sample.planted()
        files = package.court_copy(sample.COMPLETE, context, copy / "court", max_bytes=35_000_000)
    assert there is not None and there.version == "v2" and there.supplements[-1].reason == reason
    main, added = (one for one in there.volumes if one.bound.volume is Volume.MAIN)
    last, late = main.bound.placements[-1], added.bound.placements[0]
    assert (late.seq, late.pages.first) == (last.seq + 1, last.pages.last + 1)
    assert added.bound.name == "main-2" and len(added.signatures) == len(main.signatures)
    assert any("法院裁定书" in unit.unit.title for file in files for unit in file.pieces)
    with pikepdf.open(added.pdf) as pdf:
        sheets = len(pdf.pages)
    text = subprocess.run(
        ["pdftotext", "-layout", added.pdf, "-"], capture_output=True, check=True, text=True
    )
    pages = text.stdout.split("\f")
    assert "补充第1册" in "".join(pages[0].split())
    remark = "".join("".join(pages[at] for at in range(2, sheets)).split())
    assert f"增加第{late.seq}件" in remark and f"（第{late.pages.first}页）" in remark
    assert reason in remark and main.sha256 in remark


def _archived(workspace: Path) -> dict[str, str]:
    return {
        path.relative_to(workspace).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((workspace / "archive").rglob("*"))
        if path.is_file()
    }
