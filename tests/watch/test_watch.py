"""The watcher: what is on disk is what counts, restarts and faults change nothing."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from audit_desk import CLOCK, SETTINGS, Office
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import text

from casefile import database, scanning, watch
from casefile.audit import audit, heartbeat
from casefile.codes import severities
from casefile.context import CHINA_TIME, Context
from casefile.model.finding import NotLookedAt
from casefile.model.terms import Outcome

NO = "2026-PG-0001"
SECRET = "本件为 机密★20年 材料，内容虚构"
ID = "身份证号：61070219800101123X"


@pytest.fixture
def desk(office_desk):
    office_desk.row(NO, closed=dt.date(2026, 10, 1))
    office_desk.whole(NO)
    office_desk.archive(NO)
    office_desk.ledger(NO)
    return office_desk


def once(desk):
    """A look in which a file counts as still from the moment that it is closed."""
    return watch.watch_once(desk.context, settle=0, wait=False)


def codes_of(report):
    return sorted(f.code for f in report.findings)


def stored(desk):
    with database.reading(desk.context) as session:
        rows = session.execute(text("select path, size, sha256, result from file_states where path <> '*'"))
        return {path: (size, sha256, result) for path, size, sha256, result in rows}


def inbox(desk):
    return desk.context.workspace.case(NO).inbox


def test_a_clean_workspace_passes_and_is_remembered(desk):
    report = once(desk)
    assert report.outcome(severities()) is Outcome.PASSED
    assert report.subjects == 1 + len(list(inbox(desk).iterdir()))
    assert set(stored(desk)) == {f"cases/{NO}/inbox/{p.name}" for p in inbox(desk).iterdir()}


def test_a_secret_is_found_and_nothing_of_it_is_kept(desk):
    (inbox(desk) / "来文.txt").write_text(SECRET, encoding="utf-8")
    report = once(desk)
    assert codes_of(report) == ["SECRECY-MARK"]
    assert report.findings[0].case_no == NO
    size, sha256, result = stored(desk)[f"cases/{NO}/inbox/来文.txt"]
    assert (size, sha256) == (len(SECRET.encode()), "")
    assert "内容虚构" not in result
    for path in desk.root.glob("casefile.db*"):
        data = path.read_bytes()
        assert "内容虚构".encode() not in data
        assert "20年".encode() not in data


def test_findings_of_files_that_did_not_change_are_told_again(desk, monkeypatch):
    (inbox(desk) / "来文.txt").write_text(SECRET, encoding="utf-8")
    (inbox(desk) / "笔录.txt").write_text(ID, encoding="utf-8")
    (inbox(desk) / "图.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    first = once(desk)
    assert codes_of(first) == ["RESIDENT-ID", "SECRECY-MARK"]
    assert len(first.not_looked_at) == 1
    read = []
    monkeypatch.setattr(scanning, "read", lambda *args, **more: read.append(args))
    again = once(desk)
    assert read == []
    assert set(map(repr, again.findings)) == set(map(repr, first.findings))
    assert again.not_looked_at == first.not_looked_at


def test_every_change_is_read_again_however_it_is_disguised(desk):
    path = inbox(desk) / "a.txt"
    path.write_text("甲" * len(SECRET), encoding="utf-8")
    before = path.stat()
    assert codes_of(once(desk)) == []
    path.write_bytes(SECRET.encode().ljust(before.st_size))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert codes_of(once(desk)) == ["SECRECY-MARK"]
    path.write_text("已更换", encoding="utf-8")
    assert codes_of(once(desk)) == []
    path.write_text(SECRET, encoding="utf-8")
    once(desk)
    path.unlink()
    assert codes_of(once(desk)) == []
    assert f"cases/{NO}/inbox/a.txt" not in stored(desk)


def test_moved_folders_and_names_that_are_no_text(desk):
    (inbox(desk) / "一").mkdir()
    (inbox(desk) / "一" / "a.txt").write_text(SECRET, encoding="utf-8")
    Path(os.fsdecode(os.fsencode(inbox(desk)) + b"/\xff.txt")).write_text(SECRET, encoding="utf-8")
    assert codes_of(once(desk)) == ["SECRECY-MARK", "SECRECY-MARK"]
    (inbox(desk) / "一").rename(inbox(desk) / "二")
    assert f"cases/{NO}/inbox/二/a.txt" in " ".join(f.subject for f in once(desk).findings)
    shutil.rmtree(inbox(desk) / "二")
    assert codes_of(once(desk)) == ["SECRECY-MARK"]


def test_files_beside_the_case_folders_and_in_documents_are_read_and_work_is_not(desk):
    folder = desk.context.workspace.case(NO)
    folder.documents.mkdir()
    folder.work.mkdir()
    (folder.documents / "草稿.txt").write_text(SECRET, encoding="utf-8")
    (folder.work / "缓存.txt").write_text(SECRET, encoding="utf-8")
    (desk.context.workspace.cases / "散件.txt").write_text(SECRET, encoding="utf-8")
    assert codes_of(once(desk)) == ["CASES-STRAY", "SECRECY-MARK", "SECRECY-MARK"]


# Files that are not ready


def test_a_file_that_is_being_written_is_listed_and_read_later(desk):
    path = inbox(desk) / "扫描.txt"
    path.write_text(SECRET, encoding="utf-8")
    report = watch.watch_once(desk.context, settle=60, wait=False)
    assert f"cases/{NO}/inbox/扫描.txt" in {n.subject for n in report.not_looked_at}
    assert codes_of(report) == []
    assert report.outcome(severities()) is Outcome.INDETERMINATE
    assert codes_of(once(desk)) == ["SECRECY-MARK"]


def test_an_old_time_on_a_young_file_does_not_make_it_settled(desk):
    path = inbox(desk) / "复制中.txt"
    path.write_text("一", encoding="utf-8")
    os.utime(path, (0, 0))
    report = watch.watch_once(desk.context, settle=60, wait=False)
    assert f"cases/{NO}/inbox/复制中.txt" in {n.subject for n in report.not_looked_at}


def test_once_gives_young_files_time_to_settle(desk):
    (inbox(desk) / "刚到.txt").write_text(SECRET, encoding="utf-8")
    start = time.monotonic()
    report = watch.watch_once(desk.context, settle=0.3)
    assert time.monotonic() - start >= 0.3
    assert codes_of(report) == ["SECRECY-MARK"]
    assert not report.not_looked_at


def test_a_file_that_keeps_changing_is_listed(desk):
    path = inbox(desk) / "扫描.txt"
    path.write_text("第1页", encoding="utf-8")
    done = threading.Event()

    def scanner():
        while not done.wait(0.05):
            with path.open("a", encoding="utf-8") as page:
                page.write("下一页")

    writer = threading.Thread(target=scanner)
    writer.start()
    try:
        report = watch.watch_once(desk.context, settle=0.4)
    finally:
        done.set()
        writer.join()
    assert [n.subject for n in report.not_looked_at] == [f"cases/{NO}/inbox/扫描.txt"]


@pytest.mark.parametrize(
    ("name", "told"), [("a.pdf.part", 1), ("b.tmp", 1), ("~$笔录.docx", 0), ("Thumbs.db", 0)]
)
def test_half_written_names_are_listed_and_litter_is_not(desk, name, told):
    (inbox(desk) / name).write_text("x", encoding="utf-8")
    assert len(once(desk).not_looked_at) == told


def test_links_and_pipes_are_not_followed(desk, tmp_path):
    (tmp_path / "outside.txt").write_text(SECRET, encoding="utf-8")
    (inbox(desk) / "链接.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(inbox(desk) / "管道")
    report = once(desk)
    assert codes_of(report) == []
    assert {Path(n.subject).name for n in report.not_looked_at} == {"链接.txt", "管道"}


# Faults


def test_one_bad_file_does_not_stop_the_rest(desk, monkeypatch):
    (inbox(desk) / "a.txt").write_text("炸弹", encoding="utf-8")
    (inbox(desk) / "b.txt").write_text(SECRET, encoding="utf-8")
    read = scanning.read

    def fragile(path, *args, **more):
        if path.name == "a.txt":
            raise MemoryError
        return read(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(scanning, "read", fragile)
        report = once(desk)
    assert codes_of(report) == ["SECRECY-MARK"]
    assert [n.subject for n in report.not_looked_at] == [f"cases/{NO}/inbox/a.txt"]
    assert not once(desk).not_looked_at


def test_without_text_scanners_no_file_is_clean_and_none_is_remembered(desk, monkeypatch):
    monkeypatch.setattr(scanning, "scan_text", lambda pages: scanning.Scanned((), False))
    report = once(desk)
    assert len(report.not_looked_at) == len(list(inbox(desk).iterdir()))
    assert stored(desk) == {}


def test_a_scanner_that_breaks_leaves_the_file_unread(desk, monkeypatch):
    broken = scanning.Scanned((), True, (NotLookedAt("casefile.scanners: faulty", "出错"),))
    monkeypatch.setattr(scanning, "scan_text", lambda pages: broken)
    report = once(desk)
    assert all("faulty" in n.reason for n in report.not_looked_at)
    assert stored(desk) == {}


def test_other_scanners_read_everything_again(desk, monkeypatch):
    once(desk)
    read = []
    known = scanning.read
    monkeypatch.setattr(scanning, "fingerprint", lambda: "other scanners")
    monkeypatch.setattr(scanning, "read", lambda *a, **m: read.append(a) or known(*a, **m))
    once(desk)
    assert len(read) == len(list(inbox(desk).iterdir()))


def test_a_run_that_was_killed_is_gone_on_with(desk):
    for number in range(250):
        (inbox(desk) / f"{number:03}.txt").write_text(SECRET if number == 200 else "一", encoding="utf-8")
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom casefile import scanning, watch\n"
        "from casefile.context import Context\n"
        "real, count = scanning.read, [0]\n"
        "def read(*a, **m):\n    count[0] += 1\n    if count[0] > 150: os.kill(os.getpid(), 9)\n"
        "    return real(*a, **m)\n"
        "scanning.read = read\n"
        "watch.watch_once(Context.open(Path(sys.argv[1])), settle=0, wait=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(desk.root)], check=False)
    assert killed.returncode == -9
    assert 0 < len(stored(desk)) < 250
    assert codes_of(once(desk)) == ["SECRECY-MARK"]
    assert len(stored(desk)) == len(list(inbox(desk).iterdir()))


def test_a_damaged_memory_is_no_answer(desk):
    (inbox(desk) / "来文.txt").write_text(SECRET, encoding="utf-8")
    once(desk)
    with database.session(desk.context) as session:
        session.execute(text("update file_states set result = '[[1' where path <> '*'"))
        session.execute(text("update audit_answers set answer = 'null'"))
    report = once(desk)
    assert (codes_of(report), report.not_looked_at) == (["SECRECY-MARK"], ())


def test_memory_is_compared_in_pieces_that_tile(desk, monkeypatch):
    monkeypatch.setattr(watch, "_CHUNK", 3)
    cases = desk.context.workspace.cases
    for name in ("2026-PG-0001-附", "2026-PG-0001_b", "2026-PG-00011", "a", "〔2026〕1号", "2026(1)"):
        for number in range(2):
            (cases / name / "inbox").mkdir(parents=True, exist_ok=True)
            (cases / name / "inbox" / f"{number}.txt").write_text(SECRET, encoding="utf-8")
    (cases / "2026-PG-0001.txt").write_text(SECRET, encoding="utf-8")
    first = once(desk)
    assert codes_of(first).count("SECRECY-MARK") == 13
    found = watch.reconcile(desk.context)
    assert (found.fresh, found.gone) == ([], [])
    assert codes_of(once(desk)).count("SECRECY-MARK") == 13
    shutil.rmtree(cases / "2026-PG-0001_b")
    (cases / "2026-PG-0001.txt").unlink()
    assert len(watch.reconcile(desk.context).gone) == 3


# The loop


def test_the_loop_wakes_on_a_change_and_stops_when_told(desk):
    reports = []
    seen = threading.Event()
    stop = threading.Event()

    def on_report(report):
        reports.append(report)
        seen.set()

    loop = threading.Thread(
        target=watch.watch,
        args=(desk.context,),
        kwargs={"stop": stop.is_set, "on_report": on_report, "interval": 60, "settle": 0.05},
    )
    loop.start()
    try:
        assert seen.wait(20)
        (inbox(desk) / "新到.txt").write_text(SECRET, encoding="utf-8")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and codes_of(reports[-1]) != ["SECRECY-MARK"]:
            time.sleep(0.05)
        assert codes_of(reports[-1]) == ["SECRECY-MARK"]
    finally:
        stop.set()
        loop.join(20)
    assert not loop.is_alive()
    assert json.loads(heartbeat.place(desk.context).read_bytes())["interval"] == 0
    assert codes_of(audit(desk.context)) == []


def test_the_loop_finds_everything_without_events(desk, monkeypatch):
    monkeypatch.setattr(watch, "Observer", _Deaf)
    (inbox(desk) / "新到.txt").write_text(SECRET, encoding="utf-8")
    reports = []
    watch.watch(
        desk.context, stop=lambda: len(reports) >= 2, on_report=reports.append, interval=0.1, settle=0.05
    )
    assert codes_of(reports[-1]) == ["SECRECY-MARK"]


class _Deaf:
    def schedule(self, *args, **more):
        raise OSError(24, "inotify instance limit reached")

    def is_alive(self):
        return False


def test_a_round_that_fails_is_reported_and_the_next_one_goes_on(desk, monkeypatch):
    reports = []
    real = watch.reconcile
    fails = iter([True, False])

    def flaky(context):
        if next(fails, False):
            raise OSError(5, "Input/output error")
        return real(context)

    monkeypatch.setattr(watch, "reconcile", flaky)
    watch.watch(
        desk.context, stop=lambda: len(reports) >= 2, on_report=reports.append, interval=0.05, settle=0
    )
    assert reports[0].outcome(severities()) is Outcome.INDETERMINATE
    assert reports[1].outcome(severities()) is Outcome.PASSED


# The sign of life


def test_a_watcher_that_stopped_is_a_finding(desk):
    heartbeat.beat(desk.context, interval=60)
    assert codes_of(audit(desk.context)) == []
    desk.context.now = lambda: CLOCK + dt.timedelta(minutes=10)
    assert codes_of(audit(desk.context)) == ["WATCH-STOPPED"]
    heartbeat.beat(desk.context, interval=0)
    desk.context.now = lambda: CLOCK + dt.timedelta(days=10)
    assert codes_of(audit(desk.context)) == []


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"at": 1, "interval": 2}', b'{"at": "x"}', b"[" * 100_000]
)
def test_a_sign_of_life_that_says_nothing_is_none(desk, data):
    heartbeat.place(desk.context).write_bytes(data)
    assert codes_of(audit(desk.context)) == ["WATCH-STOPPED"]


# The law: whatever happens to the files, the next look tells the truth of the moment


class Inboxes(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
        self.context = Context.open(self.root, now=lambda: CLOCK)
        self.desk = Office(self.context)
        self.truth = {}

    files = st.sampled_from([f"cases/{c}/inbox/{n}.txt" for c in ("a", "a-b", "ab") for n in ("1", "2")])

    @rule(path=files, secret=st.booleans())
    def write(self, path, secret):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(SECRET if secret else "一般材料", encoding="utf-8")
        self.truth[path] = secret

    @rule(path=files)
    def remove(self, path):
        (self.root / path).unlink(missing_ok=True)
        self.truth.pop(path, None)

    @rule(one=files, other=files)
    def move(self, one, other):
        if one in self.truth and one != other:
            (self.root / other).parent.mkdir(parents=True, exist_ok=True)
            (self.root / one).replace(self.root / other)
            self.truth[other] = self.truth.pop(one)

    @rule()
    def restart(self):
        self.context.close()
        self.context = Context.open(self.root, now=lambda: CLOCK)

    @invariant()
    def the_look_tells_the_truth(self):
        report = watch.watch_once(self.context, settle=0, wait=False)
        found = sorted(f.subject.split(" ")[0] for f in report.findings if f.code == "SECRECY-MARK")
        assert found == sorted(path for path, secret in self.truth.items() if secret)
        assert watch.reconcile(self.context).files == len(self.truth)

    def teardown(self):
        self.context.close()
        shutil.rmtree(self.root)


TestInboxes = Inboxes.TestCase
TestInboxes.settings = settings(max_examples=6, stateful_step_count=12, deadline=None)


def test_time_zone_of_the_clock_does_not_matter(desk):
    heartbeat.beat(desk.context, interval=60)
    desk.context.now = lambda: CLOCK.astimezone(dt.UTC)
    assert codes_of(audit(desk.context)) == []
    assert CLOCK.tzinfo is CHINA_TIME
