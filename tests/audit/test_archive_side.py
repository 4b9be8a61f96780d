"""The archive as the auditor finds it on disk."""

from __future__ import annotations

import json

import pytest

from casefile.audit import audit
from casefile.audit.archive import Archived, objects

NO = "2026-PG-0001"


def codes_of(desk):
    return sorted(f.code for f in audit(desk.context).findings if f.code != "CASE-FOLDER-MISSING")


@pytest.fixture
def stored(office_desk):
    office_desk.row(NO)
    office_desk.whole(NO)
    office_desk.ledger(NO)
    return office_desk.archive(NO)


def edit(folder, change):
    path = folder / "inventory.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    change(table)
    path.write_text(json.dumps(table), encoding="utf-8")


def test_a_sound_object_is_read(office_desk, stored):
    (one,) = objects(office_desk.root / "archive")
    assert isinstance(one, Archived)
    assert (one.case_no, one.version, one.object_id) == (NO, "v1", f"urn:casefile:J001:{NO}")
    assert codes_of(office_desk) == []


def test_any_flipped_byte_of_the_manifest_is_a_change(office_desk, stored):
    manifest = stored / "v1" / "content" / "manifest.xml"
    data = manifest.read_bytes()
    for at in range(0, len(data), 7):
        manifest.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert "ARCHIVED-CHANGED" in codes_of(office_desk), at


@pytest.mark.parametrize("how", ["gone", "link", "folder"])
def test_a_manifest_that_is_not_there_is_a_change(office_desk, stored, tmp_path, how):
    manifest = stored / "v1" / "content" / "manifest.xml"
    data = manifest.read_bytes()
    manifest.unlink()
    if how == "link":
        (tmp_path / "elsewhere.xml").write_bytes(data)
        manifest.symlink_to(tmp_path / "elsewhere.xml")
    elif how == "folder":
        manifest.mkdir()
    assert codes_of(office_desk) == ["ARCHIVED-CHANGED"]


def test_an_inventory_that_leads_out_of_the_object_is_not_followed(office_desk, stored):
    def out(table):
        table["manifest"] = {digest: ["../../../casefile.toml"] for digest in table["manifest"]}

    edit(stored, out)
    assert codes_of(office_desk) == ["ARCHIVE-OBJECT-BROKEN", "ARCHIVED-CHANGED"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"id": 1}',
        b"[" * 100_000,
        b'{"id":"x","head":"v1","digestAlgorithm":"md5","manifest":{},"versions":{}}',
    ],
)
def test_an_inventory_that_is_none(office_desk, stored, data):
    (stored / "inventory.json").write_bytes(data)
    assert codes_of(office_desk) == ["ARCHIVE-MISSING", "ARCHIVE-OBJECT-BROKEN"]


def test_an_inventory_that_was_edited_is_told(office_desk, stored):
    edit(stored, lambda table: table.update(extra="x"))
    assert codes_of(office_desk) == ["ARCHIVE-OBJECT-BROKEN"]


def test_a_package_under_the_name_of_another_case_is_told(office_desk, stored):
    edit(stored, lambda table: table.update(id="urn:casefile:J001:2026-PG-0002"))
    report = audit(office_desk.context)
    told = {(f.case_no, f.code) for f in report.findings}
    assert (NO, "ARCHIVE-MISSING") in told
    assert ("2026-PG-0002", "FILE-WITHOUT-CASE") in told
    assert ("2026-PG-0002", "ARCHIVE-OBJECT-BROKEN") in told


def test_what_belongs_to_no_object_is_told_and_the_root_files_are_not(office_desk, stored):
    root = office_desk.root / "archive"
    for name in ("0=ocfl_1.1", "ocfl_layout.json", "ocfl_1.1.md", "ocfl_1.1.txt"):
        (root / name).touch()
    (root / "extensions" / "casefile-staging" / "half").mkdir(parents=True)
    (root / "extensions" / "casefile-staging" / "half" / "file").touch()
    assert codes_of(office_desk) == []
    (root / "000" / "复件.pdf").touch()
    assert codes_of(office_desk) == ["ARCHIVE-STRAY"]


def test_an_object_without_its_declaration_is_still_found(office_desk, stored):
    (stored / "0=ocfl_object_1.1").unlink()
    assert codes_of(office_desk) == []


def test_entities_in_a_manifest_are_not_followed(office_desk, tmp_path):
    (tmp_path / "secret").write_text("2026-PG-0009")
    folder = office_desk.archive(NO)
    edit(folder, lambda table: table.update(id="urn:of:somebody:else"))
    (folder / "v1" / "content" / "manifest.xml").write_text(
        f'<!DOCTYPE p [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
        '<p xmlns="urn:casefile:archive:1"><caseNumber>&e;</caseNumber></p>'
    )
    report = audit(office_desk.context)
    assert "2026-PG-0009" not in {f.case_no for f in report.findings}
    assert "ARCHIVE-OBJECT-BROKEN" in {f.code for f in report.findings}
