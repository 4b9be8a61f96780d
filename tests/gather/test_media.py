"""Sound and film become a page that tells of them; what they claim is held against what was said."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy
import pikepdf
import pypdfium2
import pytest
from gather_files import CASE_NO  # type: ignore[import-not-found]

from casefile.codes import rendered
from casefile.config import Limits
from casefile.errors import BadInput, MissingTool
from casefile.formats.identify import kinds
from casefile.formats.pdf import pdf_text
from casefile.gather import received, recording, routes
from casefile.gather.routes import Job
from casefile.gather.workers import Lost, Workers
from casefile.model.case import Case
from casefile.model.document import Recording
from casefile.model.terms import EvidenceKind, Route
from casefile.package import contents
from casefile.tools import ffmpeg, verapdf

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=5:d=8")
SOUND = ("-f", "lavfi", "-i", "sine=d=8:r=8000")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p")
PHONE = (
    "-movflags", "use_metadata_tags",
    "-metadata", "com.apple.quicktime.location.ISO6709=+30.2741+120.1551+010.000/",
    "-metadata", "com.apple.quicktime.make=示例",
    "-metadata", "com.apple.quicktime.model=M1",
    "-metadata", "com.apple.quicktime.creationdate=2026-03-11T09:42:00+0800",
)  # fmt: skip


def encode(target: Path, *options: str) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *options, str(target)], check=True)
    return target


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> Path:
    """Small recordings of every sort, and broken ones."""
    if not ffmpeg.version():
        pytest.skip("FFmpeg is not installed")
    folder = tmp_path_factory.mktemp("films")
    encode(folder / "film.mp4", *PICTURE, *SOUND, *H264, "-c:a", "aac", "-movflags", "+faststart")
    encode(folder / "silent.mov", *PICTURE, *H264, *PHONE)
    encode(folder / "speech.mp3", *SOUND)
    encode(folder / "speech.wav", *SOUND)
    copy = ("-i", str(folder / "film.mp4"), "-c", "copy", "-movflags", "+faststart")
    encode(folder / "upright.mp4", *copy, "-metadata:s:v", "rotate=90")
    whole = (folder / "film.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "no index.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    return folder


def page_text(pdf: Path) -> str:
    return "".join("".join(text.split()) for text in pdf_text.texts(pdf))


def found(gathered, code):
    return [f for f in gathered.findings if f.code == code]


LIST = """items:
  - file: 现场.mov
    title: 现场勘验全过程录像
    place: 示范市滨江区样例村
    av_no: 样例音像2026-001
    started_at: "2026-03-11 09:42"
    ended_at: 2026年3月11日9时43分
    interrupted: 否
    interruption: 无
    device: 执法记录仪（样例-01）
    recorded_by: 示例丙
"""


def test_the_page_of_a_film_tells_all(inbox, gather, films, context):
    shutil.copy(films / "silent.mov", inbox / "现场.mov")
    (inbox / "evidence.yaml").write_text(LIST, encoding="utf-8")
    gathered = gather()
    assert gathered.findings == ()
    (evidence,), (part,) = gathered.evidence, gathered.parts
    assert (part.route, part.pages, str(part.date)) == (Route.CONVERTED, 2, "2026-03-11")
    assert part.note == "音像记录，原件另存归档包"
    assert evidence.kind is EvidenceKind.AUDIOVISUAL
    assert verapdf.check(part.pdf).compliant

    text = page_text(part.pdf)
    for told in (
        "现场勘验全过程录像", "示范市滨江区样例村", "样例音像2026-001", "2026-03-1109:42", "2026-03-1109:43",
        "与起止时间相符（相差52秒）", "执法记录仪（样例-01）", "示例丙", "现场.mov", "8秒", "160×90，每秒5帧",
        "H.264", "无声音", "2026-03-1109:42:00", "示例M1", "纬度30.2741，经度120.1551",
        evidence.sha256, evidence.sm3, f"{evidence.size:,}字节", "0:00:00.8", "0:00:07.4",
    ):  # fmt: skip
        assert told in text, told
    facts = dict(evidence.facts)
    assert facts["duration"] == "0:00:08.0"
    assert (facts["video_codec"], facts["frame_size"], facts["frame_rate"]) == ("h264", "160 x 90", "5")
    assert (facts["latitude"], facts["longitude"]) == ("30.274100", "120.155100")
    assert facts["recorded_at"] == "2026-03-11T09:42:00+0800"

    pages = pypdfium2.PdfDocument(part.pdf)
    shown = numpy.asarray(pages[0].render(scale=3).to_pil().convert("RGB"))
    assert cv2.QRCodeDetector().detectAndDecode(shown)[0] == evidence.sha256
    with pikepdf.open(part.pdf) as pdf:
        assert not pdf.attachments
        assert len(pdf.pages[1].get_images()) == 6
    colours = {tuple(c) for c in numpy.asarray(pages[1].render().to_pil().convert("RGB")).reshape(-1, 3)}
    assert len(colours) > 50

    before = part.pdf.read_bytes()
    shutil.rmtree(context.workspace.case(CASE_NO).work)
    assert gather().parts[0].pdf.read_bytes() == before


def test_the_page_follows_the_list_and_is_kept_else(inbox, gather, films, monkeypatch):
    shutil.copy(films / "speech.mp3", inbox / "a.mp3")
    first = gather()
    (missing,) = found(first, "RECORDING-TIMES")
    assert missing.params["missing"] == "开始时间和结束时间"
    assert "未登记起止时间，不能核对" in page_text(first.parts[0].pdf)
    assert first.parts[0].pages == 1
    (inbox / "evidence.yaml").write_text("items:\n  - file: a.mp3\n    title: 电话录音\n", encoding="utf-8")
    second = gather()
    assert "电话录音" in page_text(second.parts[0].pdf)
    assert first.evidence[0].sha256 == second.evidence[0].sha256
    monkeypatch.setattr(Workers, "ask", lambda *a, **k: pytest.fail("made again"))
    assert gather().parts == second.parts


def test_recordings_that_are_cut_or_broken_say_so(inbox, gather, films):
    for name in ("cut.mp4", "no index.mp4", "upright.mp4"):
        shutil.copy(films / name, inbox)
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: upright.mp4\n    started_at: 2026-03-11 09:00\n    ended_at: 2026-03-11 09:30\n"
        "  - file: no index.mp4\n    title: 样例录像\n    device: 样例设备\n",
        encoding="utf-8",
    )
    gathered = gather()
    upright, broken, cut = gathered.parts
    codes_of = {
        name: {f.code for f in gathered.findings if f.subject == f"inbox/{name}"}
        for name in ("cut.mp4", "no index.mp4", "upright.mp4")
    }
    assert "RECORDING-CUT-SHORT" in codes_of["cut.mp4"]
    assert "文件自称8秒，后部缺失" in page_text(cut.pdf)
    assert cut.pages == 2
    assert "EVIDENCE-MEDIA" in codes_of["no index.mp4"]
    assert broken.route is Route.PLACEHOLDER
    assert "样例设备" in page_text(broken.pdf) and "文件打不开" in page_text(broken.pdf)
    assert codes_of["upright.mp4"] == {"RECORDING-GAP"}
    assert "90×160" in page_text(upright.pdf)
    assert "比起止时间短29分52秒，没有说明" in page_text(upright.pdf)
    assert all(verapdf.check(part.pdf).compliant for part in gathered.parts)


def test_without_ffmpeg_the_page_says_what_was_not_looked_at(inbox, gather, films, monkeypatch):
    shutil.copy(films / "film.mp4", inbox)
    monkeypatch.setattr(ffmpeg, "version", lambda: "")
    assert any("没有安装 FFmpeg" in n.reason for n in gather().not_looked_at)
    described = {"format": "video/mp4", "title": "题", "name": "a.mp4", "sha256": "0" * 64, "sm3": "1" * 64}
    target = inbox.parent / "a.pdf"
    made = routes.make("video/mp4", Job(films / "film.mp4", target, inbox, 10, 20, described=described))
    assert (made.pages, made.facts) == (1, ())
    assert "未检查（没有安装FFmpeg）" in page_text(target)
    with pytest.raises(MissingTool):
        ffmpeg.probe(films / "film.mp4", "video/mp4", seconds=5)


def running(path: Path) -> bool:
    """True while a process reads it."""
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"ffmpeg" in told.read_bytes() and str(path).encode() in told.read_bytes():
                return True
    return False


def test_what_a_stuck_worker_started_ends_with_it(films, tmp_path):
    film = encode(tmp_path / "long.mp4", "-stream_loop", "400", "-i", str(films / "film.mp4"), "-c", "copy")
    worker = Workers(Limits(), count=1)._all[0]
    request = {
        "op": "make", "format": "video/mp4", "path": str(film), "target": str(tmp_path / "x.pdf"),
        "state": received.state(film), "described": {"sha256": "0", "sm3": "1"},
    }  # fmt: skip
    lost: list[Lost] = []

    def work():
        try:
            worker.ask(request, seconds=60)
        except Lost as error:
            lost.append(error)

    at_work = threading.Thread(target=work)
    at_work.start()
    while not running(film):
        assert at_work.is_alive(), "it should have been at work"
        time.sleep(0.01)
    os.killpg(worker._process.pid, signal.SIGKILL)
    at_work.join(timeout=30)
    assert lost
    time.sleep(0.1)
    assert not running(film)


A, B = dt.datetime(2026, 3, 11, 9, 0), dt.datetime(2026, 3, 11, 10, 0)
HOUR, HALF = {"duration": "1:00:30.0"}, {"duration": "0:30:00.0"}


@pytest.mark.parametrize(
    ("said", "facts", "codes"),
    [
        (Recording(started_at=A, ended_at=B, interrupted=False), HOUR, []),
        (Recording(started_at=A, ended_at=B), {}, []),
        (Recording(ended_at=B), HOUR, ["RECORDING-TIMES"]),
        (Recording(started_at=A, ended_at=B), HALF, ["RECORDING-GAP"]),
        (Recording(started_at=A, ended_at=B, interrupted=False), HALF, ["RECORDING-GAP"]),
        (Recording(started_at=A, ended_at=B, interrupted=True), HALF, ["RECORDING-INTERRUPTED", "RECORDING-GAP"]),
        (Recording(started_at=A, ended_at=B, interrupted=True, interruption="停电"), HALF, ["RECORDING-GAP-EXPLAINED"]),
        (Recording(started_at=A, ended_at=B, interruption="停电"), HALF, ["RECORDING-GAP-EXPLAINED"]),
        (Recording(started_at=A, ended_at=B, interrupted=False, interruption="停电"), HOUR, ["RECORDING-CONTRADICTION"]),
        (Recording(interrupted=True), {}, ["RECORDING-TIMES", "RECORDING-INTERRUPTED"]),
        (Recording(started_at=B, ended_at=A), HOUR, ["RECORDING-ORDER"]),
        (Recording(started_at=A, ended_at=A), HOUR, ["RECORDING-ORDER"]),
        (Recording(started_at=A, ended_at=B), {"duration": "2:00:00.0"}, ["RECORDING-OVERRUN"]),
        (Recording(started_at=A, ended_at=B), {"recorded_at": "2026-03-11T02:00:00Z"}, []),
        (Recording(started_at=A, ended_at=B), {"recorded_at": "2026-03-15T02:00:00Z"}, ["RECORDING-CLOCK"]),
        (Recording(started_at=A, ended_at=B), {"recorded_at": "yesterday", "duration": "x"}, []),
    ],
)  # fmt: skip
def test_what_was_said_is_held_against_the_file(said, facts, codes):
    assert [code for code, _ in recording.complaints(said, facts)] == codes


def test_what_the_list_says_survives_the_way_to_the_page():
    said = Recording("7", A, None, False, "无", "d", "r")
    listed = recording.Listed("a", 1, recording=said)
    assert recording.read(recording.described(listed)) == said
    assert recording.of(None) == recording.read({}) == Recording()


@pytest.mark.parametrize(("seconds", "clock", "spoken"), [
    (0, "0:00:00.0", "0秒"), (3.44, "0:00:03.4", "3.4秒"), (59.96, "0:01:00.0", "1分"),
    (3725, "1:02:05.0", "1小时2分5秒"), (360_000, "100:00:00.0", "100小时"),
])  # fmt: skip
def test_lengths_are_written_and_read(seconds, clock, spoken):
    assert recording.clock(seconds) == clock
    assert recording.spoken(dt.timedelta(seconds=seconds)) == spoken
    assert abs(recording.duration(clock).total_seconds() - seconds) < 0.06


def test_a_wrong_time_in_the_list_is_said(inbox, gather, films):
    shutil.copy(films / "speech.wav", inbox / "a.wav")
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.wav\n    started_at: 昨天上午\n    interrupted: 也许\n", encoding="utf-8"
    )
    wrong = found(gather(), "EVIDENCE-LIST-VALUE")
    assert [f.params["key"] for f in wrong] == ["started_at", "interrupted"]
    assert "2026-03-05 14:30" in wrong[0].params["allowed"]


@pytest.fixture
def listener():
    """A port on which nobody should ever knock."""
    knocks: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    caller, _ = server.accept()
                except TimeoutError:
                    continue
                knocks.append(b"knock")
                caller.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], knocks
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["video/mp4", "video/x-matroska", "audio/mpeg", "video/mp2t"])
def test_a_playlist_opens_nothing_else(tmp_path, films, listener, kind):
    """Lists that FFmpeg would follow by itself: to a server, and to a film that lies beside."""
    port, knocks = listener
    inside = films / "film.mp4"
    lists = {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n",
        "local": f"#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nfile://{inside}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{inside}'\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
        "http": f"http://127.0.0.1:{port}/x",
    }
    for name, text in lists.items():
        path = tmp_path / f"{name}.mp4"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadInput):
            ffmpeg.probe(path, kind, seconds=10)
    assert knocks == []


@pytest.mark.parametrize(
    "name", ["-i.mp4", "concat:a|b.mp4", "http:x.mp4", "%03d.mp4", "pipe:0", "片 '\"$(x).mp4"]
)
def test_a_name_is_only_a_name(tmp_path, films, name):
    shutil.copy(films / "speech.wav", tmp_path / name)
    assert ffmpeg.probe(tmp_path / name, "audio/wav", seconds=10).length == 8.0


def test_claims_that_can_not_be_true_cost_little(tmp_path, films):
    whole = (films / "film.mp4").read_bytes()
    # Size of the picture in the track header of the film and of its coder: 65535 by 65535.
    giant = whole.replace(bytes.fromhex("00a0005a00480000"), bytes.fromhex("ffffffff00480000"))
    at = whole.index(b"mvhd") + 20
    endless = whole[:at] + b"\x7f\xff\xff\xff" + whole[at + 4 :]
    assert giant != whole
    for name, data in {"giant.mp4": giant, "endless.mp4": endless}.items():
        (tmp_path / name).write_bytes(data)
        began = time.monotonic()
        told = ffmpeg.probe(tmp_path / name, "video/mp4", seconds=20)
        pictures = ffmpeg.key_frames(tmp_path / name, "video/mp4", told, 2, seconds=20)
        assert told.length < 10
        assert len(pictures) <= 2
        assert time.monotonic() - began < 40
    assert ffmpeg.probe(tmp_path / "endless.mp4", "video/mp4", seconds=20).cut_short


def test_time_runs_out_and_the_rest_is_not_lost(films):
    told = ffmpeg.probe(films / "film.mp4", "video/mp4", seconds=10)
    assert ffmpeg.key_frames(films / "film.mp4", "video/mp4", told, 6, seconds=0) == ()
    with pytest.raises(BadInput):
        ffmpeg.probe(films / "film.mp4", "video/mp4", seconds=0)


def test_every_recording_that_is_told_apart_has_a_reader():
    known = {kind for kind in kinds.NAMES if kind.startswith(recording.KINDS)}
    assert known <= set(ffmpeg.DEMUXERS)


def test_the_film_goes_into_the_package_as_it_came(inbox, gather, films, tmp_path):
    shutil.copy(films / "cut.mp4", inbox / "执法.mp4")
    gathered = gather()
    (cut,) = found(gathered, "RECORDING-CUT-SHORT")
    assert "只能读到 0:00:0" in rendered(cut)["message"]
    case = Case(CASE_NO, (), "", "", inbox.parent, {}, (), "0" * 64)
    (film,) = [e for e in contents.own_files(case, (), gathered.evidence) if e.role == "original"]
    staged = contents.place(film, tmp_path)
    assert (film.media_type, film.received_as) == ("video/mp4", "执法.mp4")
    assert (tmp_path / film.path).read_bytes() == (films / "cut.mp4").read_bytes()
    assert staged.sha256 == gathered.evidence[0].sha256 == gathered.parts[0].original_sha256


def test_what_has_no_reader_is_not_guessed(tmp_path, films):
    with pytest.raises(BadInput):
        ffmpeg.probe(films / "film.mp4", "text/plain", seconds=5)
