"""Sound and film (音像记录): a page that tells of the recording, which itself can't be a page.

It bears what the officers said of the recording, what the file says of itself, its digests, and pictures out
of it. The recording lies beside the volume in the package and never inside the PDF.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno

from casefile.errors import BadInput
from casefile.formats.identify import sniff
from casefile.formats.typst import Typesetter
from casefile.gather import recording
from casefile.gather.routes.made import Job, Made
from casefile.gather.sheet import sheets
from casefile.model.document import Recording
from casefile.model.terms import FactKey, Route
from casefile.tools import ffmpeg, verapdf
from casefile.tools.ffmpeg import KeyFrame, Probed

_PICTURES = 6
_MANY_PICTURES = 12
_LONG = 20 * 60.0
_NOT_SAID = "未登记"
_NOT_KNOWN = "文件未载明"
_NO_TOOL = "未检查（没有安装 FFmpeg）"
_UNREADABLE = "文件打不开，无法读取"

_CODECS = {
    "h264": "H.264", "hevc": "H.265", "mpeg4": "MPEG-4", "mjpeg": "MJPEG", "vp8": "VP8", "vp9": "VP9",
    "av1": "AV1", "aac": "AAC", "mp3": "MP3", "amr_nb": "AMR", "amr_wb": "AMR-WB", "opus": "Opus",
    "vorbis": "Vorbis", "flac": "FLAC", "pcm_s16le": "PCM", "pcm_alaw": "G.711", "pcm_mulaw": "G.711",
}  # fmt: skip


def make(job: Job) -> Made:
    """The page of a recording.

    Raises:
        BadInput: PART-NOT-MADE, BIND-SYSTEM-PAGE.
    """
    told = job.described
    said = recording.read(told)
    kind = told["format"]
    probed: Probed | None = None
    pictures: tuple[KeyFrame, ...] = ()
    notes: list[str] = []
    unknown = _NO_TOOL
    if ffmpeg.version():
        try:
            probed = ffmpeg.probe(job.source, kind, seconds=job.seconds / 3)
        except BadInput:
            notes.append("EVIDENCE-MEDIA")
            unknown = _UNREADABLE
    if probed is not None:
        count = _MANY_PICTURES if probed.length > _LONG else _PICTURES
        pictures = ffmpeg.key_frames(job.source, kind, probed, count, seconds=job.seconds / 3)
        if probed.cut_short:
            notes.append("RECORDING-CUT-SHORT")
        if probed.video is not None and not pictures:
            notes.append("RECORDING-NO-PICTURES")
    data = _page(told, said, probed, pictures, unknown)
    made = sheets("media", data, _typesetter(job.fonts))
    job.target.write_bytes(made.pdf)
    if not verapdf.check(job.target).compliant:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    route = Route.PLACEHOLDER if "EVIDENCE-MEDIA" in notes else Route.CONVERTED
    return Made(route, made.count, None, tuple(notes), facts=_facts(probed) if probed else ())


@cache
def _typesetter(fonts: tuple[Path, ...]) -> Typesetter:
    # One for the life of the worker: its fonts are read once.
    return Typesetter(fonts)


def _facts(found: Probed) -> tuple[tuple[str, str], ...]:
    pairs = (
        (FactKey.CONTAINER, found.container),
        (FactKey.DURATION, recording.clock(found.length) if found.length or found.measured == 0 else ""),
        (FactKey.VIDEO_CODEC, found.video_codec),
        (FactKey.AUDIO_CODEC, found.audio_codec),
        (FactKey.FRAME_SIZE, f"{found.width} x {found.height}" if found.width else ""),
        (FactKey.FRAME_RATE, found.frame_rate),
        (FactKey.SAMPLE_RATE, found.sample_rate),
        (FactKey.RECORDED_AT, found.recorded_at),
        (FactKey.LATITUDE, found.latitude),
        (FactKey.LONGITUDE, found.longitude),
        (FactKey.MAKE, found.make),
        (FactKey.MODEL, found.model),
    )
    return tuple((key.value, value) for key, value in pairs if value)


def _page(
    told: Mapping[str, str],
    said: Recording,
    found: Probed | None,
    pictures: tuple[KeyFrame, ...],
    unknown: str,
) -> dict[str, Any]:
    length = dt.timedelta(seconds=found.length) if found and found.length else None
    day = said.started_at or dt.datetime(1970, 1, 1)
    return {
        "date": [day.year, day.month, day.day],
        "title": told.get("title", ""),
        "said": _said(told, said, length),
        "found": _found(told, found, unknown),
        "sha256": told["sha256"],
        "sm3": told["sm3"],
        "qr": _qr(told["sha256"]),
        "pictures": [
            {"at": recording.clock(picture.at), "jpeg": list(picture.jpeg)} for picture in pictures
        ],
        "upright": found is not None and found.height > found.width,
        "no_pictures": found is not None and found.video is not None and not pictures,
    }  # fmt: skip


def _said(told: Mapping[str, str], said: Recording, length: dt.timedelta | None) -> list[list[str]]:
    def of(key: str) -> str:
        return told.get(key) or _NOT_SAID

    interrupted = said.interrupted if said.interrupted is not None else (True if said.interruption else None)
    if interrupted is None:
        answer, why = _NOT_SAID, _NOT_SAID
    elif interrupted:
        answer, why = "是", said.interruption or "没有说明"
    else:
        answer, why = "否", said.interruption or "无"
    rows = [
        ["题　　名", of("title")],
        ["音像编号", of("av_no"), "记 录 人", of("recorded_by")],
        ["开始时间", _time(said.started_at), "结束时间", _time(said.ended_at)],
        ["时长核对", recording.compared(said, length)],
        ["是否中断", answer, "设　　备", of("device")],
        ["中断说明", why],
        ["地　　点", of("place")],
        ["来　　源", of("source"), "收 集 人", of("collected_by")],
        ["证明内容", of("proves")],
    ]
    return rows + ([["备　　注", told["note"]]] if told.get("note") else [])


def _found(told: Mapping[str, str], found: Probed | None, unknown: str) -> list[list[str]]:
    rows = [
        ["原文件名", told.get("name", "")],
        ["格　　式", sniff.NAMES.get(told["format"], told["format"]), "大　　小", told.get("size", "")],
    ]
    if found is None:
        return [*rows, ["内　　容", unknown]]
    picture = f"{found.width}×{found.height}" + (f"，每秒{found.frame_rate}帧" if found.frame_rate else "")
    length = recording.spoken(dt.timedelta(seconds=found.length)) if found.length else _NOT_KNOWN
    if found.cut_short and found.stated:
        length += f"（文件自称{recording.spoken(dt.timedelta(seconds=found.stated))}，后部缺失）"
    at = recording.moment(found.recorded_at)
    where = (
        f"纬度{_degrees(found.latitude)}，经度{_degrees(found.longitude)}" if found.latitude else _NOT_KNOWN
    )
    return [
        *rows,
        ["时　　长", length, "画　　面", picture if found.video is not None else "无（录音）"],
        ["画面编码", _codec(found.video_codec), "声音编码", _sound(found)],
        ["自带时间", f"{at:%Y-%m-%d %H:%M:%S}" if at else _NOT_KNOWN,
         "自带设备", f"{found.make} {found.model}".strip() or _NOT_KNOWN],
        ["自带位置", where],
    ]  # fmt: skip


def _degrees(told: str) -> str:
    return told.rstrip("0").rstrip(".")


def _codec(name: str) -> str:
    return _CODECS.get(name, name) or "无"


def _sound(found: Probed) -> str:
    if not found.audio_codec:
        return "无声音"
    rate = f"，{int(found.sample_rate) / 1000:g} kHz" if found.sample_rate.isdigit() else ""
    channels = {0: "", 1: "，单声道", 2: "，双声道"}.get(found.channels, f"，{found.channels}声道")
    return f"{_codec(found.audio_codec)}{rate}{channels}"


def _time(at: dt.datetime | None) -> str:
    if at is None:
        return _NOT_SAID
    return f"{at:%Y-%m-%d %H:%M}" + (f":{at.second:02}" if at.second else "")


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None, border=2
    )
    return out.getvalue().decode()
