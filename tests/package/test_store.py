"""The archive takes a package whole or not at all, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ocfl as ocfl_py
import pytest
from archived_case import CASE_NO, CLOCK, OTHER_NO, make
from filelock import FileLock

from casefile import codes, ledger, package, verify
from casefile.context import Context
from casefile.errors import Conflict
from casefile.formats.containers import ocfl
from casefile.model.dossier import Package
from casefile.model.terms import Outcome


def sound(context: Context, case_no: str = CASE_NO) -> bool:
    report = verify.case(case_no, context, deep=False)
    return not report.findings and [n.subject for n in report.not_looked_at] == [
        "案卷签名",
        "页码与目录",
        "PDF/A",
    ]


def leftovers(context: Context) -> list[str]:
    return [p.name for p in (context.workspace.archive / "extensions").iterdir() if "staging" in p.name]


def test_stored_is_an_object_that_others_accept(archived: Context) -> None:
    stored = package.stored(CASE_NO, archived)
    assert stored is not None and stored.version == "v1"
    assert stored.object_id == f"urn:casefile:J001:{CASE_NO}"
    script = Path(sys.executable).parent / "ocfl-validate.py"
    run = subprocess.run([sys.executable, script, stored.folder], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "is VALID" in run.stdout + run.stderr, run
    root = ocfl_py.StorageRoot(root=str(archived.workspace.archive))
    assert root.validate(log_warnings=True) and (root.num_objects, root.good_objects) == (2, 2), root.errors
    assert verify.case(CASE_NO, archived).outcome(codes.severities()) is Outcome.PASSED


def test_the_same_again_is_the_version_that_is_there(archived: Context) -> None:
    ready = make(archived)
    before = package.stored(CASE_NO, archived)
    assert package.store(ready.packaged(archived), archived) == before
    # Sealed anew, with another time: still the same files.
    shutil.rmtree(archived.workspace.case(CASE_NO).work / "package")
    archived.now = lambda: CLOCK + dt.timedelta(days=1)
    again = ready.packaged(archived)
    assert before is not None and again.manifest_sha256 != before.manifest_sha256
    assert package.store(again, archived) == before
    assert ledger.head(archived).size == 2
    assert sound(archived)


def test_other_content_never_replaces_what_is_archived(archived: Context) -> None:
    ready = make(archived)
    before = package.stored(CASE_NO, archived)
    fewer = dataclasses.replace(ready, evidence=ready.evidence[:1]).packaged(archived)
    with pytest.raises(Conflict) as caught:
        package.store(fewer, archived)
    assert (caught.value.code, int(caught.value.exit_code)) == ("ARCHIVE-EXISTS", 7)
    assert "{" not in "".join(codes.explained(caught.value))
    assert package.stored(CASE_NO, archived) == before and sound(archived)


def test_a_package_changed_after_sealing_is_not_archived(emptied: Context) -> None:
    made = make(emptied).packaged(emptied)
    (made.folder / "volumes" / "main.pdf").write_bytes(b"%PDF-1.7 other")
    with pytest.raises(Conflict) as caught:
        package.store(made, emptied)
    assert caught.value.code == "ARCHIVE-INVALID"
    assert package.stored(CASE_NO, emptied) is None
    assert not leftovers(emptied) and ledger.head(emptied).size == 0


def test_two_at_once_are_told_apart(emptied: Context) -> None:
    made = make(emptied).packaged(emptied)
    with FileLock(emptied.workspace.case(CASE_NO).work / ".archive.lock"), pytest.raises(Conflict) as caught:
        package.store(made, emptied)
    assert caught.value.code == "ARCHIVE-BUSY"
    package.store(made, emptied)
    assert sound(emptied)


def killed(made: Package, context: Context, target: str, after: bool) -> int:
    """Store in a child that kills itself at (or right after) ``target``; the signal that ended it."""
    child = os.fork()
    if child == 0:
        owner, _, name = target.partition(":")
        module = importlib.import_module(owner)
        kept = getattr(module, name)

        def die(*given: object, **named: object) -> None:
            if after:
                kept(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, die)
        try:
            with Context.open(context.workspace.root, now=context.now) as own:
                package.store(made, own)
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("casefile.formats.containers.ocfl:ensure_root", True),
        ("ocfl.object:fsw_copyfile", True),
        ("casefile.formats.containers.ocfl:create", True),
        ("casefile.package.archive:_to_disk", True),
        ("casefile.package.archive:_move", False),
        ("casefile.package.archive:_move", True),
        ("casefile.ledger:append", True),
    ],
)
def test_killed_anywhere_a_second_run_completes(emptied: Context, target: str, after: bool) -> None:
    made = make(emptied).packaged(emptied)
    assert killed(made, emptied, target, after) == signal.SIGKILL
    there = package.stored(CASE_NO, emptied)
    assert (there is not None) == (target.endswith("append") or (target.endswith("_move") and after))
    package.store(made, emptied)
    assert sound(emptied) and not leftovers(emptied)
    assert ledger.head(emptied).size == 1


@pytest.fixture
def small_disk(emptied: Context) -> Iterator[Path]:
    """The archive on a file system of its own that is too small for one package."""
    archive = emptied.workspace.archive
    archive.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    run = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", archive],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.skip(f"tmpfs can't be mounted here: {run.stderr.strip()}")
    yield archive
    subprocess.run(["umount", archive], check=True)


def test_a_full_disk_leaves_nothing_behind_and_a_second_run_completes(
    emptied: Context, small_disk: Path
) -> None:
    made = make(emptied).packaged(emptied)
    with pytest.raises(Conflict) as caught:
        package.store(made, emptied)
    assert (caught.value.code, int(caught.value.exit_code)) == ("ARCHIVE-NO-SPACE", 7)
    assert "{" not in "".join(codes.explained(caught.value))
    assert package.stored(CASE_NO, emptied) is None and not leftovers(emptied)
    assert ocfl.root_complaints(small_disk) == ()
    assert ledger.head(emptied).size == 0
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    package.store(made, emptied)
    assert sound(emptied)


def test_a_full_disk_while_staging_is_said_as_plainly(emptied: Context) -> None:
    ready = make(emptied)
    place = emptied.workspace.case(CASE_NO).work / "package"
    shutil.rmtree(place)
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    run = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.skip(f"tmpfs can't be mounted here: {run.stderr.strip()}")
    try:
        with pytest.raises(Conflict) as caught:
            ready.packaged(emptied)
        assert caught.value.code == "ARCHIVE-NO-SPACE"
        assert list(place.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        package.store(ready.packaged(emptied), emptied)
        assert sound(emptied)
    finally:
        subprocess.run(["umount", place], check=True)


def test_cases_lie_apart(archived: Context) -> None:
    one, two = package.stored(CASE_NO, archived), package.stored(OTHER_NO, archived)
    assert one is not None and two is not None and one.folder != two.folder
    assert package.stored("示自然资执罚〔2026〕3号", archived) is None


def test_a_package_that_was_replaced_is_never_recorded_as_the_right_one(archived: Context) -> None:
    stored = package.stored(CASE_NO, archived)
    assert stored is not None
    assert package.record(stored, archived) == 1
    with pytest.raises(Conflict) as caught:
        package.record(dataclasses.replace(stored, manifest_sha256="0" * 64), archived)
    assert caught.value.code == "ARCHIVE-REPLACED" and "{" not in "".join(codes.explained(caught.value))
    assert ledger.head(archived).size == 2
