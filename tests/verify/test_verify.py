"""Whatever is done to an archived case is found, and what it was done to is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from archived_case import CASE_NO, OTHER_NO, template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tampering import CONTENT, back_to, flip, forge, reindex

from casefile import codes, database, ledger, package, verify
from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.containers import ocfl
from casefile.formats.signatures import cms, trust
from casefile.model.finding import Report
from casefile.model.terms import Outcome
from casefile.tools import verapdf

MAIN = "volumes/main.pdf"


def folder_of(context: Context, case_no: str = CASE_NO) -> Path:
    stored = package.stored(case_no, context)
    assert stored is not None
    return stored.folder


def said(report: Report) -> set[tuple[str, str]]:
    for finding in report.findings:
        shown = codes.rendered(finding)
        assert "{" not in shown["message"] + shown["next_step"], shown
        assert "{" not in codes.rendered(finding, "en")["message"]
    return {(f.code, f.subject) for f in report.findings}


def named(context: Context, *, deep: bool = False, case_no: str = CASE_NO) -> set[tuple[str, str]]:
    report = verify.case(case_no, context, deep=deep)
    assert report.outcome(codes.severities()) is Outcome.FAILED
    return said(report)


def test_an_untouched_case_passes_every_check(archived: Context) -> None:
    for report in (verify.case(CASE_NO, archived), verify.package(folder_of(archived), archived)):
        assert (said(report), report.not_looked_at) == (set(), ())
        assert report.subjects == 21
        assert report.outcome(codes.severities()) is Outcome.PASSED
    bare = archived.workspace.root / "received"
    shutil.copytree(folder_of(archived) / CONTENT, bare)
    assert verify.package(bare, archived).outcome(codes.severities()) is Outcome.PASSED
    report = verify.pdf(bare / MAIN, archived)
    assert (said(report), report.not_looked_at) == (set(), ())


FLIPS = [
    *(
        (f"{CONTENT}/{name}", name)
        for name in (
            MAIN,
            "volumes/internal.pdf",
            "documents/penalty_decision.docx",
            "originals/001-1.txt",
            "data/case.yaml",
            "README.txt",
            "checksums.sha256",
            "manifest.xsd",
            "manifest.xml",
            "manifest.xml.p7s",
            "manifest.xml.tsr",
        )
    ),
    ("inventory.json", "inventory.json"),
    ("v1/inventory.json", "v1/inventory.json"),
    ("inventory.json.sha256", "inventory.json.sha256"),
    ("0=ocfl_object_1.1", "0=ocfl_object_1.1"),
]


@pytest.mark.parametrize(("path", "name"), FLIPS)
def test_one_flipped_byte_is_named(archived: Context, path: str, name: str) -> None:
    flip(folder_of(archived) / path, at=-10)
    assert ("VERIFY-CHANGED", name) in named(archived)


@pytest.fixture(scope="module")
def spoiled(pki: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("spoiled") / "office"
    shutil.copytree(template(pki), root, ignore=shutil.ignore_patterns(".archive.lock", ".lock"))
    with Context.open(root) as context:
        yield context


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_byte_of_any_file_is_named(spoiled: Context, data: st.DataObject) -> None:
    folder = folder_of(spoiled)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    mask = data.draw(st.integers(1, 255))
    try:
        flip(path, at, mask)
        name = path.relative_to(folder).as_posix().removeprefix(f"{CONTENT}/")
        report = verify.case(CASE_NO, spoiled, deep=False)
        assert ("VERIFY-CHANGED", name) in {(f.code, f.subject) for f in report.findings}
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "name", [MAIN, "originals/002-scan.pdf", "manifest.xml", "manifest.xml.p7s", "manifest.xml.tsr"]
)
def test_a_removed_file_is_named_even_with_the_inventory_redone(archived: Context, name: str) -> None:
    folder = folder_of(archived)
    (folder / CONTENT / name).unlink()
    assert ("VERIFY-MISSING", name) in named(archived)
    reindex(folder)
    assert ("VERIFY-MISSING", name) in named(archived)


def test_added_files_and_links_are_named(archived: Context) -> None:
    folder = folder_of(archived)
    (folder / CONTENT / "originals" / "004-more.pdf").write_bytes(b"more")
    (folder / "note.txt").write_bytes(b"note")
    (folder / "logs").mkdir()
    (folder / "logs" / "kept.txt").write_bytes(b"log")
    target = folder / CONTENT / "data" / "case.yaml"
    shutil.copy(target, archived.workspace.root / "outside.yaml")
    target.unlink()
    target.symlink_to(archived.workspace.root / "outside.yaml")
    assert {
        ("VERIFY-EXTRA", "originals/004-more.pdf"),
        ("VERIFY-EXTRA", "note.txt"),
        ("VERIFY-EXTRA", "logs/kept.txt"),
        ("VERIFY-ODD-FILE", "data/case.yaml"),
    } <= named(archived)
    reindex(folder)
    assert ("VERIFY-EXTRA", "originals/004-more.pdf") in named(archived)


def test_re_forged_checksums_without_the_key(archived: Context) -> None:
    folder = folder_of(archived)
    forge(folder, {"originals/001-1.txt": b"another photograph"})
    assert ocfl.complaints(folder, digests=True) == ()
    found = named(archived, deep=True)
    assert {("VERIFY-SEAL", "manifest.xml"), ("VERIFY-RECORDED-OTHER", "manifest.xml")} <= found
    assert ("VERIFY-TIMESTAMP", "manifest.xml.tsr") in found
    # The signed volume still carries the digest of the photograph that it was made from.
    contents = [f for f in verify.case(CASE_NO, archived).findings if f.code == "VERIFY-CONTENTS"]
    assert [(f.subject, f.params["what"]) for f in contents] == [(MAIN, "#1 证据1")]


def without_signature(context: Context) -> set[tuple[str, str]]:
    found = verify.case(CASE_NO, context).findings
    return {(f.subject, f.params["field"]) for f in found if f.code == "VERIFY-SIGNATURE-MISSING"}


def test_removed_signatures_are_named(archived: Context) -> None:
    folder = folder_of(archived)
    whole = (folder / CONTENT / MAIN).read_bytes()
    forge(folder, {MAIN: back_to(whole, 2)})
    missing = without_signature(archived)
    assert (MAIN, "单位公章") in missing and (MAIN, "立卷人") not in missing
    forge(folder, {MAIN: back_to(whole, 0)})
    assert {(MAIN, "立卷人"), (MAIN, "检查人"), (MAIN, "单位公章")} <= without_signature(archived)


def test_a_cut_archive_timestamp_is_told(archived: Context) -> None:
    folder = folder_of(archived)
    path = folder / CONTENT / MAIN
    whole = path.read_bytes()
    path.write_bytes(back_to(whole, 3))
    assert {("VERIFY-CHANGED", MAIN), ("VERIFY-SIGNATURE-LEVEL", MAIN)} <= named(archived, deep=True)
    forge(folder, {MAIN: back_to(whole, 3)})
    assert {("VERIFY-SEAL", "manifest.xml"), ("VERIFY-SIGNATURE-LEVEL", MAIN)} <= named(archived, deep=True)


def test_a_swapped_package_is_named(archived: Context) -> None:
    mine, other = folder_of(archived), folder_of(archived, OTHER_NO)
    shutil.rmtree(mine)
    shutil.copytree(other, mine)
    found = named(archived, deep=True)
    assert {("VERIFY-OTHER-CASE", "inventory.json"), ("VERIFY-OTHER-CASE", "manifest.xml")} <= found
    assert {("VERIFY-RECORDED-OTHER", "manifest.xml"), ("VERIFY-OTHER-CASE", MAIN)} <= found
    for place in (mine, mine / "v1"):
        path = place / "inventory.json"
        path.write_text(
            path.read_text(encoding="utf-8").replace("2\\u53f7", "1\\u53f7").replace("2号", "1号"),
            encoding="utf-8",
        )
    reindex(mine)
    found = named(archived)
    assert ("VERIFY-OTHER-CASE", "inventory.json") not in found
    assert ("VERIFY-OTHER-CASE", "manifest.xml") in found


def test_swapped_volumes_are_named(archived: Context) -> None:
    folder, other = folder_of(archived), folder_of(archived, OTHER_NO)
    forge(folder, {MAIN: (other / CONTENT / MAIN).read_bytes()})
    assert {("VERIFY-OTHER-CASE", MAIN), ("VERIFY-CONTENTS", MAIN)} <= named(archived, deep=True)


def test_a_manifest_signed_anew_by_somebody_else_whom_the_roots_trust(archived: Context, pki: Any) -> None:
    folder = folder_of(archived)
    forge(folder, {"originals/001-1.txt": b"another photograph"})
    clerk = pki.signers[0]
    key = trust.unlock(clerk.pkcs12, clerk.passphrase_file.read_bytes().strip())
    manifest = (folder / CONTENT / "manifest.xml").read_bytes()
    (folder / CONTENT / "manifest.xml.p7s").write_bytes(cms.sign_detached(manifest, key))
    (folder / CONTENT / "manifest.xml.tsr").write_bytes(cms.timestamp(manifest, pki.timestamp_url))
    reindex(folder)
    found = named(archived)
    assert {("VERIFY-SIGNER", "manifest.xml.p7s"), ("VERIFY-RECORDED-OTHER", "manifest.xml")} <= found
    assert ("VERIFY-SEAL", "manifest.xml") not in found


HOSTILE = {
    "XML-DTD": b'<!DOCTYPE p [<!ENTITY a "aaaa">]><package xmlns="urn:casefile:archive:1">&a;</package>',
    "XML-MALFORMED": b"<package",
    "XML-TOO-DEEP": b"<a>" * 200 + b"</a>" * 200,
    "VERIFY-MANIFEST": b'<package xmlns="urn:casefile:archive:1" version="1"/>',
}


@pytest.mark.parametrize("code", HOSTILE)
def test_hostile_manifests_are_refused_by_name(archived: Context, code: str) -> None:
    folder = folder_of(archived)
    (folder / CONTENT / "manifest.xml").write_bytes(HOSTILE[code])
    reindex(folder)
    assert {(code, "manifest.xml"), ("VERIFY-SEAL", "manifest.xml")} <= named(archived, deep=True)


@pytest.mark.parametrize("name", ["manifest.xml.p7s", "manifest.xml.tsr"])
@pytest.mark.parametrize("data", [b"", b"\x30\x80", b"not DER at all" * 50])
def test_garbage_for_a_seal_is_a_finding_and_no_crash(archived: Context, name: str, data: bytes) -> None:
    folder = folder_of(archived)
    (folder / CONTENT / name).write_bytes(data)
    reindex(folder)
    subject = "manifest.xml" if name.endswith("p7s") else name
    assert {s for c, s in named(archived) if c in ("VERIFY-SEAL", "VERIFY-TIMESTAMP")} == {subject}


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"id":1,"head":"v1","manifest":{"a":["../../x"]},"versions":{"v1":{"state":{}}}}'],
)
def test_a_broken_inventory_is_a_finding_and_the_rest_is_checked(archived: Context, data: bytes) -> None:
    folder = folder_of(archived)
    (folder / "inventory.json").write_bytes(data)
    flip(folder / CONTENT / "originals" / "001-1.txt")
    found = named(archived)
    assert {("OCFL-INVENTORY", "inventory.json"), ("VERIFY-CHANGED", "originals/001-1.txt")} <= found


def test_a_package_without_entry_and_an_entry_without_package(archived: Context, tmp_path: Path) -> None:
    assert said(verify.case("示自然资执罚〔2026〕9号", archived)) == {
        ("VERIFY-NOT-ARCHIVED", "示自然资执罚〔2026〕9号")
    }
    folder = folder_of(archived)
    kept = tmp_path / "kept"
    folder.rename(kept)
    assert said(verify.case(CASE_NO, archived)) == {("VERIFY-GONE", CASE_NO)}
    kept.rename(folder)
    with database.session(archived) as session:
        for (name,) in session.execute(text("select name from sqlite_master where type = 'trigger'")).all():
            session.execute(text(f"drop trigger {name}"))
        for table in ("ledger_salts", "ledger_entries", "ledger_nodes"):
            session.execute(text(f"delete from {table}"))
    assert named(archived) == {("VERIFY-NOT-RECORDED", "manifest.xml")}
    report = verify.package(folder, archived, deep=False)
    assert report.outcome(codes.severities()) is Outcome.INDETERMINATE


def test_a_rewritten_ledger_is_told(archived: Context) -> None:
    assert ledger.anchor(
        archived, lambda root: cms.timestamp(root, archived.config.signing.timestamp_url or "")
    )
    assert verify.case(CASE_NO, archived, deep=False).findings == ()
    with database.session(archived) as session:
        for (name,) in session.execute(text("select name from sqlite_master where type = 'trigger'")).all():
            session.execute(text(f"drop trigger {name}"))
        session.execute(text("update ledger_entries set body = replace(body, 'v1', 'v2') where seq = 1"))
    assert ("LEDGER-PROOF-ENTRY", "casefile.db") in named(archived)


def _no_roots(archived: Context, _: pytest.MonkeyPatch) -> None:
    path = archived.workspace.settings
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join("trust_roots = []" if "trust_roots" in x else x for x in lines), encoding="utf-8"
    )


def _no_verapdf(_: Context, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(verapdf, "check", lambda path, flavour: verapdf.Verdict(None, reason="TOOL-VERAPDF"))


@pytest.mark.parametrize("lose", [_no_roots, _no_verapdf])
def test_what_could_not_be_looked_at_never_passes(
    archived: Context, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Context, pytest.MonkeyPatch], None]
) -> None:
    lose(archived, monkeypatch)
    with Context.open(archived.workspace.root) as context:
        report = verify.case(CASE_NO, context)
    assert report.findings == ()
    assert report.outcome(codes.severities()) is Outcome.INDETERMINATE
    assert {n.subject for n in report.not_looked_at} & {"manifest.xml.p7s", MAIN}
    assert all(re.search("[\u4e00-\u9fff]", n.reason) for n in report.not_looked_at), report.not_looked_at


def test_files_of_the_wrong_kind_are_findings(archived: Context, tmp_path: Path) -> None:
    odd = tmp_path / "odd.pdf"
    for data in (b"", b"%PDF-1.7\n", b"\x00" * 5000):
        odd.write_bytes(data)
        report = verify.pdf(odd, archived)
        assert ("VERIFY-UNREADABLE", "odd.pdf") in said(report)
    unsigned = next((archived.workspace.case(CASE_NO).work / "bound").rglob("main.pdf"))
    assert said(verify.pdf(unsigned, archived)) >= {("VERIFY-SIGNATURE-MISSING", "main.pdf")} or said(
        verify.pdf(unsigned, archived)
    ) == {("VERIFY-UNSIGNED", "main.pdf")}
    for missing in (tmp_path / "none", tmp_path / "none.pdf"):
        with pytest.raises(BadInput) as caught:
            (verify.pdf if missing.suffix else verify.package)(missing, archived)
        assert caught.value.code == "VERIFY-NO-PACKAGE"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert verify.package(empty, archived).outcome(codes.severities()) is Outcome.FAILED
