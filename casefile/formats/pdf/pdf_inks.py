"""Colours of inks (CMYK) in a PDF whose output is meant for screens: each use needs a profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

_CMYK_PROFILES = (Path("/usr/share/color/icc/ghostscript/default_cmyk.icc"),)
_CMYK_OPERATOR = re.compile(rb"[\d.]\s+[kK][\s\[(</]")
_CONTENT_LOOKED_AT = 20_000_000
_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)


def give_default(pdf: pikepdf.Pdf) -> None:
    """Say what inks mean where pages use them without saying so."""
    if _uses_cmyk(pdf):
        give_everywhere(pdf)


def give_everywhere(pdf: pikepdf.Pdf) -> None:
    """Say what inks mean in all resources, where a use of them may be hidden."""
    profile = _cmyk_profile(pdf)
    if profile is None:
        return
    space = pdf.make_indirect(Array([Name.ICCBased, profile]))
    for item in list(pdf.objects):
        if isinstance(item, (Dictionary, Stream)) and isinstance(item.get("/Resources"), Dictionary):
            _give_cmyk(item.Resources, space)
    for page in pdf.pages:
        _give_cmyk(page.resources, space)


def _give_cmyk(resources: Any, space: Any) -> None:
    spaces = resources.get("/ColorSpace")
    if not isinstance(spaces, Dictionary):
        resources.ColorSpace = spaces = Dictionary()
    if "/DefaultCMYK" not in spaces:
        resources.ColorSpace["/DefaultCMYK"] = space


def _uses_cmyk(pdf: pikepdf.Pdf) -> bool:
    left = _CONTENT_LOOKED_AT
    for item in pdf.objects:
        if not isinstance(item, (Dictionary, Stream, Array)):
            continue
        head = item.unparse() if isinstance(item, Array) else b""
        if isinstance(item, (Dictionary, Stream)):
            head = b" ".join(
                value.unparse() if isinstance(value, pikepdf.Object) else b""
                for key, value in item.items()
                if key in ("/ColorSpace", "/CS", "/Group", "/Resources")
            )
        if b"/DeviceCMYK" in head:
            return True
    for page in pdf.pages:
        for data in _contents(page):
            left -= len(data)
            if left < 0 or _CMYK_OPERATOR.search(data) or b"/DeviceCMYK" in data:
                return True
    return False


def _contents(page: Any) -> Iterator[bytes]:
    contents = page.obj.get("/Contents")
    streams = list(contents) if isinstance(contents, Array) else [contents]
    forms = page.resources.get("/XObject", Dictionary())
    streams += [form for form in forms.values() if form.get("/Subtype") == Name.Form]
    for stream in streams:
        if isinstance(stream, Stream):
            try:
                yield stream.read_bytes()
            except _ODD:
                continue


def _cmyk_profile(pdf: pikepdf.Pdf) -> Any:
    for intent in pdf.Root.get("/OutputIntents", Array()):
        profile = intent.get("/DestOutputProfile")
        if isinstance(profile, Stream) and profile.get("/N") == 4:
            return profile
    for path in _CMYK_PROFILES:
        if path.is_file():
            return pdf.make_stream(path.read_bytes(), N=4)
    return None
