"""A package that follows an archived one becomes its next version; what is archived stays as it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archived_case import CASE_NO, LATER, REASON, grown, grown_template, make, with_late
from lxml import etree

from casefile import codes, ledger, package, verify
from casefile.context import Context
from casefile.errors import Conflict
from casefile.formats.containers import ocfl
from casefile.model.dossier import Package
from casefile.model.terms import Outcome
from casefile.package import versions

M = {"m": "urn:casefile:archive:1"}


def snapshot(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def content_of(version: str, there: dict[str, str]) -> dict[str, str]:
    return {path: digest for path, digest in there.items() if path.startswith(f"{version}/")}


def outcome(context: Context) -> Outcome:
    return verify.case(CASE_NO, context).outcome(codes.severities())


@pytest.fixture
def waiting(tmp_path: Path, pki: Any) -> Iterator[Context]:
    """A workspace with an archived case and an addition to it, sealed and not stored yet."""
    root = tmp_path / "office"
    shutil.copytree(grown_template(pki)[0], root, ignore=shutil.ignore_patterns(".archive.lock", ".lock"))
    with Context.open(root, now=lambda: LATER) as context:
        yield context


@pytest.fixture
def addition(waiting: Context, pki: Any) -> Package:
    root, made = grown_template(pki)
    return dataclasses.replace(made, folder=waiting.workspace.root / made.folder.relative_to(root))


def test_an_addition_is_the_next_version_and_the_first_stays_as_it_was(
    waiting: Context, addition: Package
) -> None:
    there = package.stored(CASE_NO, waiting)
    assert there is not None
    before = snapshot(there.folder)
    stored = package.store(addition, waiting)
    after = snapshot(stored.folder)
    assert stored.version == "v2" and stored.folder == there.folder
    assert content_of("v1", after) == content_of("v1", before)
    assert package.stored(CASE_NO, waiting) == stored
    assert outcome(waiting) is Outcome.PASSED
    # What did not change is stored once.
    assert "v2/content/documents/penalty_decision.pdf" not in after
    assert "v2/content/volumes/internal.pdf" not in after and "v2/content/volumes/main.pdf" in after
    script = Path(sys.executable).parent / "ocfl-validate.py"
    run = subprocess.run([sys.executable, script, stored.folder], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "is VALID" in run.stdout + run.stderr, run


def test_reason_and_former_package_stand_in_every_record(waiting: Context, addition: Package) -> None:
    there = package.stored(CASE_NO, waiting)
    stored = package.store(addition, waiting)
    assert there is not None
    entry = ledger.last(CASE_NO, ledger.PACKAGE, waiting)
    assert entry is not None and entry.object_sha256 == stored.manifest_sha256
    assert entry.detail == {"version": "v2", "follows": there.manifest_sha256, "reason": REASON}
    inventory = ocfl.read_inventory(stored.folder)
    assert inventory.versions == ("v1", "v2") and set(inventory.states) == {"v1", "v2"}
    text = (stored.folder / "inventory.json").read_text(encoding="utf-8")
    assert REASON in text or REASON.encode("unicode_escape").decode() in text
    root = etree.parse(str(stored.folder / inventory.state["manifest.xml"])).getroot()
    assert root.findtext("m:packageType", namespaces=M) == "修改型"
    previous = root.find("m:previous", M)
    assert (previous.get("version"), previous.get("sha256")) == ("v1", there.manifest_sha256)
    (told,) = root.iterfind("m:supplements/m:supplement", M)
    assert (told.get("version"), told.get("reason"), told.get("items")) == ("v2", REASON, "evidence-003")
    acts = [
        node.findtext("m:businessActivity", namespaces=M) for node in root.iterfind("m:events/m:event", M)
    ]
    assert acts.count("归档：补充归卷") == 1 and acts.count("归档：装订成卷") == 1
    old = root.xpath("m:files/m:file[@path='former/v1/manifest.xml']", namespaces=M)
    assert [node.get("sha256") for node in old] == [there.manifest_sha256]


def test_a_third_time_gives_a_third_version(waiting: Context, addition: Package) -> None:
    package.store(addition, waiting)
    before = snapshot(waiting.workspace.archive)
    waiting.now = lambda: LATER + dt.timedelta(days=30)
    second = with_late(make(waiting), waiting)
    stored = package.store(grown(waiting, second, "缴款回单.txt", "补交缴款回单").packaged(waiting), waiting)
    assert stored.version == "v3" and outcome(waiting) is Outcome.PASSED
    after = snapshot(waiting.workspace.archive)
    kept = {p: d for p, d in before.items() if "/v1/" in p or "/v2/" in p}
    assert kept and all(after[path] == digest for path, digest in kept.items())
    filed = package.filed(CASE_NO, waiting)
    assert filed is not None
    assert [(s.version, s.reason) for s in filed.supplements] == [("v2", REASON), ("v3", "补交缴款回单")]
    assert {"former/v1/manifest.xml", "former/v2/manifest.xml"} <= set(filed.files)


def test_the_same_addition_again_changes_nothing(waiting: Context, addition: Package) -> None:
    made = addition
    stored = package.store(made, waiting)
    before = snapshot(waiting.workspace.archive)
    assert package.store(made, waiting) == stored
    assert snapshot(waiting.workspace.archive) == before and ledger.head(waiting).size == 3


def test_an_addition_to_another_version_is_refused(waiting: Context, addition: Package) -> None:
    other = dataclasses.replace(addition, follows="0" * 64)
    before = snapshot(waiting.workspace.archive)
    with pytest.raises(Conflict) as caught:
        package.store(other, waiting)
    assert (caught.value.code, int(caught.value.exit_code)) == ("ARCHIVE-EXISTS", 7)
    assert "casefile supplement" in codes.explained(caught.value)[1]
    assert snapshot(waiting.workspace.archive) == before


def test_nothing_is_built_on_a_damaged_archive(waiting: Context, addition: Package) -> None:
    made = addition
    stored = package.stored(CASE_NO, waiting)
    assert stored is not None
    victim = stored.folder / "v1" / "content" / "originals" / "001-1.txt"
    victim.write_bytes(b"?" + victim.read_bytes()[1:])
    with pytest.raises(Conflict) as caught:
        package.filed(CASE_NO, waiting)
    assert (caught.value.code, caught.value.params["file"]) == ("ARCHIVE-DAMAGED", "originals/001-1.txt")
    with pytest.raises(Conflict) as caught:
        package.store(made, waiting)
    assert caught.value.code == "ARCHIVE-INVALID"
    assert package.stored(CASE_NO, waiting) == stored


def killed(made: Any, context: Context, target: str, after: bool, exchange: bool) -> int:
    """Store in a child that kills itself at (or right after) the last part of ``target``."""
    child = os.fork()
    if child == 0:
        try:
            if not exchange:
                versions.exchange = lambda one, other: False  # type: ignore[assignment]
            owner, _, name = target.partition(":")
            holder = importlib.import_module(owner)
            while "." in name:
                first, _, name = name.partition(".")
                holder = getattr(holder, first)
            kept, calls = getattr(holder, name.rstrip("+")), [0]
            wanted = name.count("+")

            def die(*given: object, **named: object) -> object:
                calls[0] += 1
                if calls[0] <= wanted:
                    return kept(*given, **named)
                if after:
                    kept(*given, **named)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(holder, name.rstrip("+"), die)
            with Context.open(context.workspace.root, now=context.now) as own:
                package.store(made, own)
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("target", "after", "exchange"),
    [
        ("casefile.package.versions:twin", True, True),
        ("ocfl.object:fsw_copyfile", True, True),
        ("casefile.formats.containers.ocfl:add_version", True, True),
        ("casefile.package.archive:_to_disk", True, True),
        ("casefile.package.versions:exchange", False, True),
        ("casefile.package.versions:exchange", True, True),
        ("casefile.ledger:append", False, True),
        ("casefile.package.versions:in_order", False, False),
        ("casefile.package.versions:Path.replace", False, False),
        ("casefile.package.versions:Path.replace", True, False),
        ("casefile.package.versions:Path.replace+", True, False),
        ("casefile.ledger:append", True, False),
    ],
)
def test_killed_anywhere_the_first_version_stands_and_a_second_run_completes(
    waiting: Context, addition: Package, target: str, after: bool, exchange: bool
) -> None:
    made = addition
    stored = package.stored(CASE_NO, waiting)
    assert stored is not None
    first = content_of("v1", snapshot(stored.folder))
    assert killed(made, waiting, target, after, exchange) == signal.SIGKILL
    there = package.stored(CASE_NO, waiting)
    assert there is not None and content_of("v1", snapshot(stored.folder)) == first
    done = (target.endswith(("exchange", "+")) and after) or "ledger" in target
    assert there.version == ("v2" if done else "v1")
    if there.version == "v1" and exchange:
        assert verify.case(CASE_NO, waiting, deep=False).findings == ()
    again = package.store(made, waiting)
    assert again.version == "v2"
    found = snapshot(again.folder)
    assert content_of("v1", found) == first
    assert verify.case(CASE_NO, waiting, deep=False).findings == ()
    assert ledger.head(waiting).size == 3
    extensions = waiting.workspace.archive / "extensions"
    assert not [p for p in extensions.iterdir() if "staging" in p.name]


def test_without_hard_links_and_exchange_it_is_the_same(
    waiting: Context, addition: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object) -> None:
        raise OSError("not here")

    monkeypatch.setattr(os, "link", cannot)
    monkeypatch.setattr(versions, "exchange", lambda one, other: False)
    assert package.store(addition, waiting).version == "v2"
    assert outcome(waiting) is Outcome.PASSED


def test_a_successor_forged_into_the_archive_is_not_recorded(waiting: Context, addition: Package) -> None:
    made = addition
    seal = made.folder / "manifest.xml.p7s"
    data = bytearray(seal.read_bytes())
    data[-20] ^= 1
    seal.write_bytes(bytes(data))
    with pytest.raises(Conflict) as caught:
        package.store(made, waiting)
    assert caught.value.code == "ARCHIVE-REPLACED"
    assert ledger.head(waiting).size == 2


@pytest.mark.parametrize(
    ("victim", "code"),
    [
        ("v1/content/manifest.xml", "VERIFY-CHANGED"),
        ("v1/content/volumes/main.pdf", "VERIFY-CHANGED"),
        ("v1/inventory.json", "VERIFY-CHANGED"),
        ("v2/content/former/v1/manifest.xml.p7s", "VERIFY-CHANGED"),
    ],
)
def test_damage_to_the_version_before_is_found(
    waiting: Context, addition: Package, victim: str, code: str
) -> None:
    folder = package.store(addition, waiting).folder
    # What the first version holds byte for byte is stored there and not again.
    path = folder / victim if (folder / victim).is_file() else folder / "v1/content/manifest.xml.p7s"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    report = verify.case(CASE_NO, waiting, deep=False)
    assert code in {f.code for f in report.findings}, report.findings


def test_what_leaves_the_house_can_be_followed_back(
    waiting: Context, addition: Package, tmp_path: Path
) -> None:
    package.store(addition, waiting)
    target = package.export(CASE_NO, waiting, tmp_path / "bag", zipped=False) / "data"
    assert verify.package(target, waiting).findings == ()
    page = (target / "README.txt").read_text(encoding="utf-8")
    assert "former/v1/manifest.xml" in page and "补充归卷" in page
    run = subprocess.run(
        ["sha256sum", "-c", "checksums.sha256"], cwd=target, capture_output=True, check=False
    )
    assert run.returncode == 0
    (target / "former" / "v1" / "manifest.xml").write_bytes(b"<other/>")
    assert "VERIFY-CHAIN" in {f.code for f in verify.package(target, waiting, deep=False).findings}
    shutil.rmtree(target / "former")
    assert "VERIFY-MISSING" in {f.code for f in verify.package(target, waiting, deep=False).findings}
