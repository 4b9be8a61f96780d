"""What lies in a package, and that an outsider can check it with the tools that its page names."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from archived_case import CASE_NO, CLOCK, Ready, make
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from casefile import codes, package, resources, verify
from casefile.context import Context
from casefile.errors import CasefileError, Conflict, SigningFailed
from casefile.formats import xml
from casefile.model.document import Evidence
from casefile.model.terms import Route
from casefile.package.contents import safe_name

SCHEMA = resources.root("archive_schema") / "manifest.xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
M = {"m": "urn:casefile:archive:1"}


def of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused_with(error: CasefileError, code: str, exit_code: int) -> None:
    sentence, step = codes.explained(error)
    assert (error.code, int(error.exit_code)) == (code, exit_code)
    assert "{" not in sentence + step and sentence and step


def test_everything_is_there_and_listed_byte_for_byte(emptied: Context) -> None:
    ready = make(emptied)
    made = ready.packaged(emptied)
    files = of(made.folder)
    root = xml.parse(files["manifest.xml"], "manifest.xml")
    assert xml.schema_errors(root, SCHEMA) == ()
    assert hashlib.sha256(files["manifest.xml"]).hexdigest() == made.manifest_sha256
    listed = {node.get("path"): node for node in root.iterfind("m:files/m:file", M)}
    assert set(files) == set(listed) | {"manifest.xml", "manifest.xml.p7s", "manifest.xml.tsr"}
    assert dict(made.files) == {path: hashlib.sha256(files[path]).hexdigest() for path in listed}
    for path, node in listed.items():
        assert int(node.get("size")) == len(files[path])
        assert node.get("sha256") == hashlib.sha256(files[path]).hexdigest()
        assert node.get("sm3") == hashlib.new("sm3", files[path]).hexdigest()
    for volume in ready.signed.volumes:
        assert files[f"volumes/{volume.bound.volume.value}.pdf"] == volume.pdf.read_bytes()
    assert files["originals/001-1.txt"] == ready.evidence[0].original.read_bytes()
    assert listed["originals/001-1.txt"].get("receivedAs") == "现场 照片①.txt"
    assert files["data/case.yaml"] == (ready.case.folder / "case.yaml").read_bytes()
    assert root.findtext("m:case/m:contentDescription/m:caseNumber", namespaces=M) == CASE_NO
    fields = [s.get("field") for s in root.iterfind("m:volumes/m:volume[@kind='main']/m:signature", M)]
    assert fields == ["立卷人", "检查人", "单位公章"]


def test_every_item_tells_what_was_found_out_about_its_file(emptied: Context) -> None:
    ready = make(emptied)
    first, second = ready.evidence
    first = dataclasses.replace(
        first,
        puid="fmt/43",
        inside="现场.zip",
        facts=(("拍摄时间", "2026-03-09 10:20"), ("相机", "长" * 5000)),
    )
    # A signed scan stands under the id of the document of which it is the scan.
    second = dataclasses.replace(second, stands_for="penalty_decision", facts=(("签名验证", "有效"),))
    (main, internal), made = ready.signed.volumes, []
    for one in main.bound.placements:
        note = "原件无字体" if one.part.id == "evidence-001" else ""
        made.append(dataclasses.replace(one, part=dataclasses.replace(one.part, note=note)))
    main = dataclasses.replace(main, bound=dataclasses.replace(main.bound, placements=tuple(made)))
    signed = dataclasses.replace(ready.signed, volumes=(main, internal))
    told = dataclasses.replace(ready, evidence=(first, second), signed=signed).packaged(emptied)
    root = xml.parse((told.folder / "manifest.xml").read_bytes(), "manifest.xml")
    assert xml.schema_errors(root, SCHEMA) == ()
    items = {node.get("id"): node for node in root.iterfind("m:volumes/m:volume/m:item", M)}
    original = items["evidence-001"].find("m:original", M)
    assert (original.get("puid"), original.get("inside")) == ("fmt/43", "现场.zip")
    assert items["evidence-001"].findtext("m:note", namespaces=M) == "原件无字体"
    facts = [(node.get("name"), node.text) for node in items["evidence-001"].iterfind("m:fact", M)]
    assert facts[0] == ("拍摄时间", "2026-03-09 10:20") and len(facts[1][1]) == 2000
    assert items["penalty_decision"].find("m:fact", M).text == "有效"
    assert items["filing_approval"].find("m:fact", M) is None


def test_books_of_one_volume_are_signed_packed_and_read_back(emptied: Context) -> None:
    settings = emptied.workspace.settings
    settings.write_text(
        settings.read_text(encoding="utf-8") + '\n[binding]\npages_per_book = 2\nprofile = "C"\n', "utf-8"
    )
    with Context.open(emptied.workspace.root, now=lambda: CLOCK) as context:
        ready = make(context)
        books = [(one.bound.name, [p.seq for p in one.bound.placements]) for one in ready.signed.volumes]
        assert books == [("main-1", [1, 2]), ("main-2", [3, 4])]
        assert all(len(one.signatures) == 3 for one in ready.signed.volumes)
        stored = package.store(ready.packaged(context), context)
        report = verify.case(CASE_NO, context)
        assert (report.findings, report.not_looked_at) == ((), ())
        filed = package.filed(CASE_NO, context)
        assert filed is not None and filed.version == stored.version
        for before, after in zip(ready.signed.volumes, filed.volumes, strict=True):
            assert (after.bound.name, after.bound.books, after.sha256) == (
                before.bound.name,
                2,
                before.sha256,
            )
            places = [
                (p.seq, p.pages, p.first_sheet, p.before, p.part.volume) for p in after.bound.placements
            ]
            assert places == [
                (p.seq, p.pages, p.first_sheet, p.before, p.part.volume) for p in before.bound.placements
            ]


def test_the_same_inputs_give_the_same_package(emptied: Context) -> None:
    ready = make(emptied)
    first = ready.packaged(emptied)
    before = of(first.folder)
    again = ready.packaged(emptied)
    assert again == first and of(again.folder) == before
    assert [p.name for p in first.folder.parent.iterdir()] == [first.folder.name]


def test_a_killed_run_is_begun_anew(emptied: Context) -> None:
    ready = make(emptied)
    made = ready.packaged(emptied)
    half = made.folder.with_name(f".{made.folder.name}.part")
    made.folder.rename(half)
    (half / "manifest.xml").unlink()
    (half / "volumes" / "main.pdf").write_bytes(b"half")
    again = ready.packaged(emptied)
    assert again.files["volumes/main.pdf"] == ready.signed.volumes[0].sha256
    assert not half.exists()


def test_a_file_that_changed_since_is_refused_by_name(emptied: Context) -> None:
    ready = make(emptied)
    shutil.rmtree(emptied.workspace.case(CASE_NO).work / "package")
    ready.evidence[1].original.write_bytes(b"other")
    with pytest.raises(Conflict) as caught:
        ready.packaged(emptied)
    refused_with(caught.value, "PACKAGE-CHANGED", 7)
    assert caught.value.subject == "扫描/scan.pdf"
    ready.evidence[1].original.unlink()
    with pytest.raises(Conflict) as caught:
        ready.packaged(emptied)
    refused_with(caught.value, "PACKAGE-MISSING", 7)
    assert list((emptied.workspace.case(CASE_NO).work / "package").iterdir()) == []


def test_refused_evidence_leaves_no_bytes(emptied: Context) -> None:
    ready = make(emptied)
    parts = tuple(
        dataclasses.replace(p, route=Route.REFUSED) if p.id == "evidence-002" else p for p in ready.parts
    )
    made = dataclasses.replace(ready, parts=parts).packaged(emptied, ["evidence-001"])
    assert not any(path.startswith("originals/") for path in made.files)
    root = xml.parse((made.folder / "manifest.xml").read_bytes(), "manifest.xml")
    assert [n.get("id") for n in root.iterfind("m:refusals/m:refusal", M)] == ["evidence-001", "evidence-002"]
    assert root.find("m:volumes/m:volume/m:item[@id='evidence-001']/m:original", M).get("path") is None
    hidden = ready.evidence[0].original.read_bytes()
    assert all(hidden not in data for data in of(made.folder).values())


def test_no_seal_no_package(emptied: Context) -> None:
    ready = make(emptied)
    settings = emptied.workspace.settings
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('role = "bureau"', 'role = "checker"'), encoding="utf-8")
    shutil.rmtree(emptied.workspace.case(CASE_NO).work / "package")
    with Context.open(emptied.workspace.root, now=emptied.now) as other:
        with pytest.raises(SigningFailed) as caught:
            ready.packaged(other)
        refused_with(caught.value, "PACKAGE-NO-SIGNER", 6)
    settings.write_text(text.replace(".pass", ".gone"), encoding="utf-8")
    with Context.open(emptied.workspace.root, now=emptied.now) as other:
        with pytest.raises(SigningFailed) as caught:
            ready.packaged(other)
        refused_with(caught.value, "PACKAGE-PASSPHRASE", 6)


def test_what_can_not_stand_in_a_manifest_is_shown_as_unreadable_or_refused(emptied: Context) -> None:
    ready = make(emptied)
    odd = dataclasses.replace(ready.evidence[0], path="坏\x01名\ud800.txt")
    made = dataclasses.replace(ready, evidence=(odd, ready.evidence[1])).packaged(emptied)
    assert "坏\ufffd名\ufffd.txt" in (made.folder / "manifest.xml").read_text(encoding="utf-8")
    nameless = dataclasses.replace(ready, case=dataclasses.replace(ready.case, title=""))
    with pytest.raises(CasefileError) as caught:
        nameless.packaged(emptied)
    refused_with(caught.value, "PACKAGE-MANIFEST", 3)


def test_the_page_for_outsiders_keeps_its_word(archived: Context, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the page, run as it stands there, with what is installed."""
    stored = package.stored(CASE_NO, archived)
    assert stored is not None
    content = stored.folder / "v1" / "content"
    page = (content / "README.txt").read_text(encoding="utf-8")
    commands = re.findall(
        r"^   ((?:openssl|sha256sum|xmllint|verapdf|pdfsig|ocfl-validate\.py) .*)$", page, re.M
    )
    assert len(commands) == 10
    for command in commands:
        words = command.partition("   （")[0].replace("OBJECT", str(stored.folder)).split()
        tool = shutil.which(words[0]) or shutil.which(words[0], path=str(Path(sys.executable).parent))
        if tool is None:
            with capsys.disabled():
                print(f"\n  not run, {words[0]} is not installed: {command}")
            continue
        run = subprocess.run([tool, *words[1:]], cwd=content, capture_output=True, text=True, check=False)
        assert run.returncode == 0, (command, run.stdout, run.stderr)
    flipped = bytearray((content / "manifest.xml").read_bytes())
    flipped[-10] ^= 1
    (content / "manifest.xml").write_bytes(bytes(flipped))
    for command in commands:
        if command.startswith(("openssl cms", "openssl ts")):
            assert subprocess.run(command.split(), cwd=content, capture_output=True, check=False).returncode


def test_every_name_in_the_schema_is_explained_in_chinese() -> None:
    numbers = tomllib.loads(
        (resources.root("archive_schema") / "vocabularies" / "dat46.toml").read_text(encoding="utf-8")
    )
    assert len(numbers) == 88
    schema = etree.parse(str(SCHEMA)).getroot()
    used = set()
    for node in schema.iter(f"{XS}element", f"{XS}attribute"):
        said = node.findtext(f"{XS}annotation/{XS}documentation")
        name = node.get("name")
        assert name and name.isascii(), name
        assert said and re.search("[\u4e00-\u9fff]", said), name
        mark = re.match(r"DA/T 46 (M\d+) ([^：]+)", said)
        if mark:
            used.add(mark[1])
            assert numbers[mark[1]]["zh"] == mark[2], name
    assert {"M1", "M8", "M22", "M32", "M33", "M38", "M48", "M49", "M81", "M82"} <= used


PATH = re.compile(etree.parse(str(SCHEMA)).find(f".//{XS}simpleType[@name='path']//{XS}pattern").get("value"))


@given(st.text(max_size=300), st.text(max_size=30))
def test_any_received_name_becomes_a_path_that_the_schema_takes(stem: str, suffix: str) -> None:
    name = f"originals/001-{safe_name(f'{stem}.{suffix}')}"
    assert PATH.fullmatch(name) and len(name) <= 100


def test_two_names_that_look_alike_stay_apart(emptied: Context) -> None:
    ready: Ready = make(emptied)
    twin: Evidence = dataclasses.replace(ready.evidence[0], id="evidence-003", path="别处/现场 照片①.txt")
    made: Any = dataclasses.replace(ready, evidence=(*ready.evidence, twin)).packaged(emptied)
    assert {"originals/001-1.txt", "originals/003-1.txt"} <= set(made.files)
