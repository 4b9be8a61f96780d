"""FFmpeg, outside programs that read recordings: what they are, how long they run, and pictures out of them.

Optional: without it the page of a recording bears what the clerk entered and the digests, and says so. A
recording may be made to attack its reader, so the container is named to it and never guessed, nothing but
that one local file may be opened, few decoders are allowed, and the kernel bounds time, memory and output.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from casefile.errors import BadInput, MissingTool

DEMUXERS: Mapping[str, str] = {
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
    "audio/amr": "amr",
    "audio/amr-wb": "amr",
    "audio/basic": "au",
    "audio/flac": "flac",
    "audio/mp4": "mov",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/webm": "matroska",
    "audio/x-caf": "caf",
    "audio/x-matroska": "matroska",
    "audio/x-ms-wma": "asf",
    "video/3gpp": "mov",
    "video/3gpp2": "mov",
    "video/mp2t": "mpegts",
    "video/mp4": "mov",
    "video/mpeg": "mpeg",
    "video/ogg": "ogg",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-flv": "flv",
    "video/x-m4v": "mov",
    "video/x-matroska": "matroska",
    "video/x-ms-asf": "asf",
    "video/x-ms-wmv": "asf",
    "video/x-msvideo": "avi",
}
"""The reader of each media type. Playlists and lists of files have none."""

_DECODERS = ",".join((
    "h264", "hevc", "mpeg4", "mjpeg", "mpeg1video", "mpeg2video", "vp8", "vp9", "libdav1d", "h263", "flv",
    "msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "wmv3", "vc1", "dvvideo", "prores", "theora", "rawvideo",
    "aac", "aac_latm", "mp2", "mp2float", "mp3", "mp3float", "ac3", "eac3", "amrnb", "amrwb", "opus",
    "vorbis", "flac", "alac", "wmav1", "wmav2", "wmapro", "wmavoice", "adpcm_ima_wav", "adpcm_ms", "g722",
    "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_alaw",
    "pcm_mulaw", "gsm_ms",
))  # fmt: skip
_MOST_PIXELS = 8192 * 8192
_MEMORY = 2_000_000_000
_OUTPUT = 8_000_000
_PICTURE_SIDE = 640
_SHORT_SECONDS = 20.0
_USUAL_KEY_DISTANCE = 5.0
_FIRST_YEAR = 1990
_LONGEST_TOLD = 100

_PLACE = re.compile(r"([+-]\d{1,3}(?:\.\d{1,10})?)([+-]\d{1,3}(?:\.\d{1,10})?)")
_MOMENT = re.compile(r"(\d{4})-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?.*")
_SHOWN_AT = re.compile(r"\bpts_time:\s*(-?\d+(?:\.\d+)?)")
_READ_TO = re.compile(r"out_time_us=(\d+)")


@dataclass(frozen=True, slots=True)
class Probed:
    """What a recording is. Times in seconds, sizes in pixels as it is shown, not as it is stored.

    ``measured`` is the length found by reading to the end, None when that took too long; ``stated`` what the
    header says. ``recorded_at`` is ISO 8601; ``latitude`` and ``longitude`` are decimal degrees, north and
    east positive. ``video`` is the number of the picture stream, None without one. The unknown is empty.
    """

    container: str
    measured: float | None
    stated: float | None
    start: float = 0.0
    video: int | None = None
    video_codec: str = ""
    width: int = 0
    height: int = 0
    frame_rate: str = ""
    audio_codec: str = ""
    sample_rate: str = ""
    channels: int = 0
    recorded_at: str = ""
    latitude: str = ""
    longitude: str = ""
    make: str = ""
    model: str = ""

    @property
    def cut_short(self) -> bool:
        """True when less is there than the header promises: the file was cut off or never finished."""
        if self.measured is None or self.stated is None:
            return False
        return self.stated - self.measured > _slack(self.stated)

    @property
    def length(self) -> float:
        """The best that is known of its length: the header, unless reading on found it wrong."""
        if self.measured is None or self.stated is None:
            return self.measured or self.stated or 0.0
        return self.stated if abs(self.stated - self.measured) <= _slack(self.stated) else self.measured


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A picture out of a recording: ``at`` seconds from its beginning."""

    at: float
    jpeg: bytes


@cache
def version() -> str:
    """Version of the programs; empty when one of them is not installed."""
    if shutil.which("ffprobe") is None:
        return ""
    program = shutil.which("ffmpeg")
    if program is None:
        return ""
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=20)
    return answer.stdout.partition("\n")[0].removeprefix("ffmpeg version ").partition(" ")[0]


def probe(path: Path, media_type: str, *, seconds: float) -> Probed:
    """What a recording is, read to its end as far as ``seconds`` allow.

    Raises:
        MissingTool: TOOL-FFMPEG.
        BadInput: RECORDING-UNREADABLE, when no sound and no picture is found in it.
    """
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="casefile-ffmpeg-") as folder:
        runner = _Runner(path, media_type, Path(folder))
        asked = ["-show_format", "-show_streams", "-print_format", "json", "-max_pixels", str(_MOST_PIXELS)]
        done = runner.run("ffprobe", [*asked, *runner.source()], until)
        try:
            told = json.loads(done.out) if done.ended else {}
        except ValueError:
            told = {}
        found = _recording(told)
        if found is None:
            raise BadInput("RECORDING-UNREADABLE", subject=path.name)
        # The header may claim anything; only reading on to the end tells how much is there.
        whole = runner.run(
            "ffmpeg",
            [*runner.source(), "-map", "0:V?", "-map", "0:a?", "-c", "copy", "-f", "null",
             "-progress", "pipe:1", "-"],
            until,
        )  # fmt: skip
    read = [int(micros) / 1e6 for micros in _READ_TO.findall(whole.out)]
    measured = max(read) if whole.ended and read else None
    return dataclasses.replace(found, measured=measured)


def key_frames(
    path: Path, media_type: str, recording: Probed, count: int, *, seconds: float
) -> tuple[KeyFrame, ...]:
    """Up to ``count`` pictures evenly spread over the length, as JPEG of at most 640 pixels a side.

    Each is the key frame before its moment where they stand close enough, which needs no decoding of what
    lies between; fewer come when the recording is damaged, very short or slow to decode.

    Raises:
        MissingTool: TOOL-FFMPEG.
    """
    if recording.video is None or recording.length <= 0:
        return ()
    until = time.monotonic() + seconds
    step = recording.length / count
    close = step < _USUAL_KEY_DISTANCE
    found: dict[float, KeyFrame] = {}
    with tempfile.TemporaryDirectory(prefix="casefile-ffmpeg-") as folder:
        runner = _Runner(path, media_type, Path(folder))
        for number in range(count):
            wanted = (number + 0.5) * step
            frame = None if close else _frame(runner, recording, wanted, until, exact=False)
            if frame is None or frame.at in found or abs(frame.at - wanted) > step / 2:
                frame = _frame(runner, recording, wanted, until, exact=True) or frame
            if frame is not None:
                found.setdefault(frame.at, frame)
    return tuple(found[at] for at in sorted(found))


@dataclass(frozen=True, slots=True)
class _Done:
    ended: bool
    out: str
    err: str


class _Runner:
    """Runs the programs on one file, with a private folder."""

    def __init__(self, path: Path, media_type: str, folder: Path) -> None:
        if not version():
            raise MissingTool("TOOL-FFMPEG", subject="FFmpeg")
        if media_type not in DEMUXERS:
            raise BadInput("RECORDING-UNREADABLE", subject=path.name)
        self.path = path.absolute()
        self.folder = folder
        self._demuxer = DEMUXERS[media_type]

    def source(self) -> list[str]:
        """The input, by protocol and container: a name can't be taken for an option or an address."""
        return [
            "-protocol_whitelist", "file", "-codec_whitelist", _DECODERS, "-f", self._demuxer,
            "-i", f"file:{self.path}",
        ]  # fmt: skip

    def run(self, program: str, arguments: Sequence[str], until: float) -> _Done:
        """Run to the end or until the moment of the monotonic clock; output beyond bounds is cut off."""
        left = until - time.monotonic()
        if left <= 0:
            return _Done(ended=False, out="", err="")
        found = shutil.which(program)
        assert found is not None
        command = [found, "-v", "info" if "showinfo" in " ".join(arguments) else "error", "-hide_banner"]
        command += ["-nostdin", "-nostats"] if program == "ffmpeg" else []
        out, err = self.folder / "out", self.folder / "err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                cwd=self.folder,
                # Its own variables could make it write reports or read presets.
                env={"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
            )
            try:
                _bound(process.pid, int(left) + 2)
                ended = process.wait(left) == 0
            except subprocess.TimeoutExpired:
                ended = False
            finally:
                process.kill()
                process.wait()
        return _Done(ended, _read(out), _read(err))


def _bound(process: int, seconds: int) -> None:
    # After the start and not before it: code between fork and exec is unsafe beside a Java machine.
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(process, kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(process, kind, (most, most))


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_OUTPUT).decode("utf-8", "replace")


def _frame(
    runner: _Runner, recording: Probed, wanted: float, until: float, *, exact: bool
) -> KeyFrame | None:
    target = runner.folder / "frame.jpg"
    target.unlink(missing_ok=True)
    near = [] if exact else ["-noaccurate_seek", "-skip_frame", "nokey"]
    side = _PICTURE_SIDE
    shown = (
        f"showinfo=checksum=0,scale='min(max(1,iw*sar),{side * 8})':ih,"
        f"scale=w='min(iw,{side})':h='min(ih,{side})':force_original_aspect_ratio=decrease"
        ":force_divisible_by=2:flags=bicubic+accurate_rnd+bitexact,setsar=1"
    )
    done = runner.run(
        "ffmpeg",
        [
            *near, "-threads", "1", "-max_pixels", str(_MOST_PIXELS), "-copyts", "-ss", f"{wanted:.3f}",
            *runner.source(), "-map", f"0:{recording.video}", "-frames:v", "1", "-vf", shown,
            "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-threads", "1",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1",
            "-f", "image2", "-update", "1", "frame.jpg",
        ],
        min(until, time.monotonic() + _SHORT_SECONDS),
    )  # fmt: skip
    at = _SHOWN_AT.search(done.err)
    if not done.ended or at is None or not target.is_file() or not target.stat().st_size:
        return None
    return KeyFrame(max(0.0, round(float(at[1]) - recording.start, 3)), target.read_bytes())


def _recording(told: Mapping[str, Any]) -> Probed | None:
    streams = [one for one in told.get("streams", ()) if isinstance(one, dict)]
    video = next((one for one in streams if _is(one, "video") and not _is_cover(one)), None)
    audio = next((one for one in streams if _is(one, "audio")), None)
    about = told.get("format")
    if not isinstance(about, dict) or (video is None and audio is None):
        return None
    tags = {str(k).lower(): str(v) for k, v in (about.get("tags") or {}).items()}
    streams_tags = {
        str(k).lower(): str(v) for one in reversed(streams) for k, v in (one.get("tags") or {}).items()
    }
    width, height = _shown_size(video) if video else (0, 0)
    place = _place(tags)
    return Probed(
        container=str(about.get("format_name", "")),
        measured=None,
        stated=_seconds(about.get("duration")),
        start=_seconds(about.get("start_time")) or 0.0,
        video=int(video["index"]) if video else None,
        video_codec=str(video.get("codec_name", "")) if video else "",
        width=width,
        height=height,
        frame_rate=_rate(str(video.get("avg_frame_rate", ""))) if video else "",
        audio_codec=str(audio.get("codec_name", "")) if audio else "",
        sample_rate=str(audio.get("sample_rate", "")) if audio else "",
        channels=int(audio.get("channels") or 0) if audio else 0,
        recorded_at=_moment({**streams_tags, **tags}),
        latitude=place[0],
        longitude=place[1],
        make=_first(tags, "com.apple.quicktime.make", "com.android.manufacturer", "make"),
        model=_first(tags, "com.apple.quicktime.model", "com.android.model", "model"),
    )


def _slack(seconds: float) -> float:
    # Codecs pad the first and reorder the last pictures; containers round.
    return max(2.0, seconds / 100)


def _is(stream: Mapping[str, Any], kind: str) -> bool:
    return stream.get("codec_type") == kind and isinstance(stream.get("index"), int)


def _is_cover(stream: Mapping[str, Any]) -> bool:
    # Music files carry the picture of their cover as a stream.
    return bool((stream.get("disposition") or {}).get("attached_pic"))


def _shown_size(stream: Mapping[str, Any]) -> tuple[int, int]:
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    for one in stream.get("side_data_list") or ():
        if isinstance(one, dict) and one.get("rotation") in (90, -90, 270, -270):
            return height, width
    return width, height


def _seconds(told: object) -> float | None:
    try:
        value = float(str(told))
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _rate(told: str) -> str:
    over, _, under = told.partition("/")
    if not (over.isdigit() and under.isdigit() and int(over) and int(under)):
        return ""
    return f"{int(over) / int(under):.2f}".rstrip("0").rstrip(".")


def _moment(tags: Mapping[str, str]) -> str:
    for key in ("com.apple.quicktime.creationdate", "creation_time"):
        found = _MOMENT.fullmatch(tags.get(key, "").strip()[:_LONGEST_TOLD])
        # Devices without a clock write the first day of their calendar.
        if found and int(found[1]) >= _FIRST_YEAR:
            return found[0]
    return ""


def _place(tags: Mapping[str, str]) -> tuple[str, str]:
    # ISO 6709: +30.2741+120.1551+010.000/
    for key in ("com.apple.quicktime.location.iso6709", "location", "location-eng"):
        found = _PLACE.match(tags.get(key, ""))
        if found:
            north, east = float(found[1]), float(found[2])
            if abs(north) <= 90 and abs(east) <= 180 and (north or east):
                return f"{north:.6f}", f"{east:.6f}"
    return "", ""


def _first(tags: Mapping[str, str], *keys: str) -> str:
    return next((tags[key].strip() for key in keys if tags.get(key, "").strip()), "")[:_LONGEST_TOLD]
