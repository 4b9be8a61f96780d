"""Which of the many formats that are zip files a zip file is."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from casefile.formats.containers import zip_bounds
from casefile.formats.identify import kinds

_MOST_MEMBERS = 100_000
_MOST_DIRECTORY = 5_000_000
_MOST_TYPES = 500_000
_LONGEST_TYPE = 100

_MAIN_PART = re.compile(
    r"application/vnd\.(?:openxmlformats-officedocument|ms-word|ms-excel|ms-powerpoint)\.[A-Za-z.]{1,60}"
    r"\.main(?:\+xml)?"
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml"
_BY_MAIN_PART = {
    f"{_WORD}.document.main+xml": kinds.DOCX,
    f"{_WORD}.template.main+xml": kinds.DOTX,
    "application/vnd.ms-word.document.macroEnabled.main+xml": kinds.DOCM,
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml": kinds.DOTM,
    f"{_SHEET}.sheet.main+xml": kinds.XLSX,
    f"{_SHEET}.template.main+xml": kinds.XLTX,
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": kinds.XLSM,
    "application/vnd.ms-excel.template.macroEnabled.main+xml": kinds.XLTM,
    "application/vnd.ms-excel.sheet.binary.macroEnabled.main": kinds.XLSB,
    f"{_SLIDES}.presentation.main+xml": kinds.PPTX,
    f"{_SLIDES}.slideshow.main+xml": kinds.PPSX,
    f"{_SLIDES}.template.main+xml": kinds.POTX,
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": kinds.PPTM,
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": kinds.PPSM,
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml": kinds.POTM,
}
# When the list of types can't be read, what lies inside still tells.
_BY_MEMBER = (
    ("word/document.xml", kinds.DOCX),
    ("xl/workbook.xml", kinds.XLSX),
    ("xl/workbook.bin", kinds.XLSB),
    ("ppt/presentation.xml", kinds.PPTX),
    ("OFD.xml", kinds.OFD),
    ("FixedDocSeq.fdseq", kinds.XPS),
    ("FixedDocumentSequence.fdseq", kinds.XPS),
    ("AndroidManifest.xml", kinds.APK),
    ("META-INF/MANIFEST.MF", kinds.JAR),
)
_BY_MIMETYPE = {
    kinds.ODT: kinds.ODT,
    f"{kinds.ODT}-template": kinds.ODT,
    kinds.ODS: kinds.ODS,
    f"{kinds.ODS}-template": kinds.ODS,
    kinds.ODP: kinds.ODP,
    f"{kinds.ODP}-template": kinds.ODP,
    kinds.EPUB: kinds.EPUB,
}


def kind_of(path: Path) -> str:
    """The kind of a zip file; ``ZIP`` when it is just one, or too large or too damaged to be looked into."""
    try:
        with path.open("rb") as file:
            told = zip_bounds.directory(file)
        if told is None or told.members > _MOST_MEMBERS or told.size > _MOST_DIRECTORY:
            return kinds.ZIP
        with zipfile.ZipFile(path) as members:
            return _kind(members)
    except Exception:
        # zipfile fails on hostile files in ways that nobody lists; it is a zip file all the same.
        return kinds.ZIP


def _kind(members: zipfile.ZipFile) -> str:
    names = set(members.namelist())
    if "mimetype" in names:
        said = _start(members, "mimetype", _LONGEST_TYPE).decode("ascii", "replace").strip()
        if said in _BY_MIMETYPE:
            return _BY_MIMETYPE[said]
    if "[Content_Types].xml" in names:
        types = _start(members, "[Content_Types].xml", _MOST_TYPES)
        text = types.decode("utf-16" if types.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", "replace")
        for main in _MAIN_PART.findall(text):
            if main in _BY_MAIN_PART:
                return _BY_MAIN_PART[main]
    return next((kind for name, kind in _BY_MEMBER if name in names), kinds.ZIP)


def _start(members: zipfile.ZipFile, name: str, most: int) -> bytes:
    try:
        with members.open(name) as stream:
            return stream.read(most)
    except Exception:
        # Enciphered, damaged or packed in an unknown way.
        return b""
