"""System pages (cover, catalogue, remark sheet, placeholder) set by Typst as PDF/A-3b.

Data enters a template as JSON strings, never as code. A template may leave marks: it tells under a name where
on a page something came to stand, so that links and signature fields need no second truth about the layout.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst

from casefile import resources
from casefile.context import Context
from casefile.errors import BadInput, MissingTool

PAGE_HEIGHT = 297 / 25.4 * 72
"""All system pages are A4, upright; marks are measured from the top, PDF boxes from the bottom."""

_FONT_FILES = re.compile(r"(?i)\.(otf|ttf|ttc)$")
# Of the folders that hold every font of the machine only these files are read: scanning all takes seconds.
_SYSTEM_FONTS = re.compile(r"(NotoSerifCJK(sc)?-(Regular|Bold)\.(ttc|otf)|LXGWWenKai-Regular\.ttf)$")
_FAMILIES = {
    "title": (
        "FZXiaoBiaoSong-B05S",
        "FZXiaoBiaoSong-B05",
        "方正小标宋简体",
        "Noto Serif CJK SC",
        "FandolSong",
    ),
    "label": ("Noto Serif CJK SC", "FandolSong"),
    "value": ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "FandolFang R", "Noto Serif CJK SC"),
}
_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed')


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the layout put something: sheet index from 0, box in points from the lower left."""

    name: str
    sheet: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sheets:
    """Pages that were set."""

    pdf: bytes
    count: int
    marks: tuple[Mark, ...]


class Typesetter:
    """Sets system pages; made once and kept, since reading fonts costs more than a page."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """Read the fonts: those of ``folders`` first, then the ones that the installation brought.

        Raises:
            MissingTool: BIND-FONTS, when no Chinese font is there.
        """
        # One compiler keeps one set of inputs, so two threads must not meet in it.
        self._alone = threading.Lock()
        # The scanner takes folders only, so the files that are wanted are linked into one.
        self._links = tempfile.TemporaryDirectory(prefix="casefile-fonts-")
        for name, file in _font_files(folders).items():
            (Path(self._links.name) / name).symlink_to(file)
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[self._links.name]
        )
        found = set(fonts.families())
        own = sorted(found - {name for names in _FAMILIES.values() for name in names})
        self._families = {
            role: [name for name in names if name in found] + own for role, names in _FAMILIES.items()
        }
        if not all(any(name in found for name in names) for names in _FAMILIES.values()):
            self.close()
            raise MissingTool("BIND-FONTS", subject="Noto Serif CJK SC")
        self._root = resources.root("templates") / "system"
        self._compiler = typst.Compiler(
            root=str(self._root), font_paths=fonts, ignore_system_fonts=True, package_path=self._links.name,
            package_cache_path=self._links.name,
        )  # fmt: skip

    def set(self, template: str, data: Mapping[str, Any]) -> Sheets:
        """Set ``templates/system/<template>.typ`` from ``data``.

        Raises:
            BadInput: BIND-GLYPH names a character that no font has; BIND-CONTROL one that can't be printed.
        """
        _refuse_controls(data)
        with self._alone:
            return self._set(template, data)

    def _set(self, template: str, data: Mapping[str, Any]) -> Sheets:
        inputs = {"data": json.dumps({"fonts": self._families, **data}, ensure_ascii=False, sort_keys=True)}
        try:
            pdf = self._compiler.compile(
                self._root / f"{template}.typ",
                format="pdf",
                pdf_standards="a-3b",
                sys_inputs=inputs,
                pdf_tags=False,
            )
            marks = json.loads(self._compiler.query("<mark>", field="value"))
        except typst.TypstError as error:
            glyph = _GLYPH.search(error.message)
            if glyph is None:
                raise BadInput("BIND-SYSTEM-PAGE", subject=f"{template}.typ", reason=error.message) from None
            character = _unescaped(glyph[1])
            raise BadInput(
                "BIND-GLYPH", subject=_holder(data, character), character=character, points=_points(character)
            ) from None
        pages = next(m["pages"] for m in marks if m["name"] == "pages")
        assert isinstance(pdf, bytes)
        return Sheets(pdf, pages, tuple(_mark(m) for m in marks if m["name"] != "pages"))

    def close(self) -> None:
        """Give the font folder back."""
        self._links.cleanup()


def typesetter(context: Context) -> Typesetter:
    """The typesetter of this run."""
    return context.keep("typesetter", lambda: Typesetter(context.config.fonts.folders))


def _font_files(folders: Sequence[Path]) -> dict[str, Path]:
    own, *rest = resources.font_folders()
    fandol, *system = rest
    found: dict[str, Path] = {}
    for folder, wanted in (
        *((folder, _FONT_FILES) for folder in (*folders, own, fandol)),
        *((folder, _SYSTEM_FONTS) for folder in system),
    ):
        for file in _files(folder):
            if wanted.search(file.name):
                found.setdefault(file.name, file)
    return dict(sorted(found.items()))


def _files(folder: Path) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        inner.sort()
        yield from (Path(place, name) for name in sorted(names))


def _mark(told: Mapping[str, Any]) -> Mark:
    left, top = told["x"], PAGE_HEIGHT - told["y"]
    box = (left, top - told["h"], left + told["w"], top)
    return Mark(
        told["name"],
        told["page"] - 1,
        (round(box[0], 2), round(box[1], 2), round(box[2], 2), round(box[3], 2)),
    )


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        yield from _strings(list(data.values()))
    elif isinstance(data, Iterable):
        for one in data:
            yield from _strings(one)


def _refuse_controls(data: Mapping[str, Any]) -> None:
    # Typst lets these through; in a PDF they would be unseen text.
    for text in _strings(data):
        for character in text:
            if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
                clean = "".join(c if c.isprintable() else "�" for c in text)
                raise BadInput("BIND-CONTROL", subject=clean[:60], points=_points(character))


def _unescaped(shown: str) -> str:
    """The character that Typst shows as itself or as ``\\u{e1234}``."""
    braced = re.fullmatch(r"\\u\{([0-9a-fA-F]+)\}.*", shown, re.DOTALL)
    if braced:
        return chr(int(braced[1], 16))
    return shown


def _holder(data: Mapping[str, Any], character: str) -> str:
    return next((text for text in _strings(data) if character in text), character)[:60]


def _points(text: str) -> str:
    return " ".join(f"U+{ord(c):04X}" for c in text)
