"""Repairs for single rules of PDF/A: each is made only when the validator has named its rule.

They cost a second pass, so what many files need is in :mod:`pdf_repair`.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from casefile.formats.fonts import pdf_font_remake, pdf_glyph_use
from casefile.formats.pdf import pdf_contents, pdf_inks, pdf_text

Remedy = Callable[[pikepdf.Pdf], None]


def known(broken: Iterable[str]) -> bool:
    """True when there is a remedy for one of the rules."""
    return any(rule in _REMEDIES for rule in broken)


def against(broken: Iterable[str]) -> tuple[Remedy, ...]:
    """The remedies for these rules, each once."""
    wanted = set(broken)
    return tuple(dict.fromkeys(remedy for rule, remedy in _REMEDIES.items() if rule in wanted))


def _resources(pdf: pikepdf.Pdf) -> None:
    """Give every page and form resources of its own: a form without any uses those of its page."""
    for page in pdf.pages:
        if not isinstance(page.obj.get("/Resources"), Dictionary):
            page.obj.Resources = Dictionary()
        forms = page.resources.get("/XObject")
        for form in forms.values() if isinstance(forms, Dictionary) else ():
            if isinstance(form, Stream) and form.get("/Subtype") == Name.Form and "/Resources" not in form:
                form.Resources = page.resources
    for item in pdf.objects:
        if isinstance(item, Stream):
            drawn = item.get("/Subtype") == Name.Form or item.get("/PatternType") == 1
            if drawn and not isinstance(item.get("/Resources"), Dictionary):
                item.Resources = Dictionary()


def _overprint(pdf: pikepdf.Pdf) -> None:
    # Only presses overprint; on screen and office printers nothing changes.
    for item in pdf.objects:
        if isinstance(item, Dictionary) and item.get("/OPM") == 1:
            item.OPM = 0


def _blending(pdf: pikepdf.Pdf) -> None:
    for item in pdf.objects:
        if isinstance(item, Dictionary) and "/BM" in item:
            told = item.BM
            names = [str(name) for name in told] if isinstance(told, Array) else [str(told)]
            known = [name for name in names if name in _BLEND_MODES]
            item.BM = Name(known[0] if known else "/Normal")


def _jpeg2000(pdf: pikepdf.Pdf) -> None:
    """Draw again what PDF/A does not allow inside JPEG 2000: other channels, depths, colour spaces."""
    for item in list(pdf.objects):
        if isinstance(item, Stream) and item.get("/Filter") is not None and _is_jpeg2000(item):
            width, height = int(item.get("/Width", 0)), int(item.get("/Height", 0))
            if 0 < width * height <= _MOST_PIXELS:
                _unpacked(item, width, height)


def _is_jpeg2000(stream: Any) -> bool:
    filters = stream.Filter
    names = list(filters) if isinstance(filters, Array) else [filters]
    return bool(names) and names[-1] == Name.JPXDecode


def _unpacked(stream: Any, width: int, height: int) -> None:
    # PDFium draws it, as it drew the page: other readers take deep or odd channels in another way.
    points = max(1.0, 3.0 / min(width, height))
    with pikepdf.new() as alone:
        page = alone.add_blank_page(page_size=(width * points, height * points))
        copy = alone.copy_foreign(stream)
        copy.Type, copy.Subtype = Name.XObject, Name.Image
        for key in ("/SMask", "/Mask", "/Decode"):
            if key in copy:
                del copy[key]
        page.obj.Resources = Dictionary(XObject=Dictionary(Im0=copy))
        page.obj.Contents = alone.make_stream(
            f"{width * points} 0 0 {height * points} 0 0 cm /Im0 Do".encode()
        )
        out = io.BytesIO()
        alone.save(out)
    with pdf_text.opened(out.getvalue()) as reader:
        picture = reader.picture(0, dpi=72 / points, longest=max(width, height))
    if picture.size != (width, height):
        return
    grey = stream.get("/ColorSpace") == Name.DeviceGray or ("/ColorSpace" not in stream and _grey(picture))
    if grey:
        picture = picture.convert("L")
    stream.write(zlib.compress(picture.tobytes(), 6), filter=Name.FlateDecode)
    for key in ("/SMaskInData", "/DecodeParms"):
        if key in stream:
            del stream[key]
    stream.BitsPerComponent = 8
    stream.ColorSpace = Name.DeviceGray if grey else Name.DeviceRGB


def _grey(picture: Image.Image) -> bool:
    red, green, blue = picture.split()
    return red.tobytes() == green.tobytes() == blue.tobytes()


def _separations(pdf: pikepdf.Pdf) -> None:
    """Give inks of one name and two meanings two names, and every ink of a mixture its own entry."""
    seen: dict[str, bytes] = {}
    for item in list(pdf.objects):
        for space in _spaces(item, 0):
            if space[0] == Name.Separation and len(space) == 4:
                name = str(space[1])
                meaning = space[2].unparse(resolved=True) + _said(space[3])
                if name in ("/All", "/None") or seen.setdefault(name, meaning) == meaning:
                    continue
                space[1] = Name(f"{name}.{hashlib.sha256(meaning).hexdigest()[:6]}")
            elif space[0] == Name.DeviceN and len(space) >= 4:
                _mixture(pdf, space)


def _said(function: Any) -> bytes:
    data = function.read_bytes() if isinstance(function, Stream) else b""
    plain = Dictionary({k: v for k, v in function.items() if k not in ("/Length", "/Filter", "/DecodeParms")})
    return plain.unparse(resolved=True) + data


def _mixture(pdf: pikepdf.Pdf, space: Any) -> None:
    names = [str(name) for name in space[1]]
    attributes = space[4] if len(space) > 4 and isinstance(space[4], Dictionary) else Dictionary()
    inks = attributes.get("/Colorants")
    inks = inks if isinstance(inks, Dictionary) else Dictionary()
    parts = len(names)
    for place, name in enumerate(names):
        if name in inks or name in ("/None", "/All", "/Cyan", "/Magenta", "/Yellow", "/Black"):
            continue
        tint = space[3]
        if not isinstance(tint, Stream) or int(tint.get("/FunctionType", -1)) != _CALCULATOR:
            return
        zeros = ["0"] * parts
        before, after = " ".join(zeros[:place]), " ".join(zeros[place + 1 :])
        body = tint.read_bytes().decode("latin-1")
        turned = f"{{ {before} {place + 1} -1 roll {after} " if place else f"{{ {after} "
        code = turned + body[body.index("{") + 1 : body.rindex("}")] + " }"
        function = pdf.make_stream(
            code.encode("latin-1"), FunctionType=4, Domain=Array([0, 1]), Range=tint.Range
        )
        inks[name] = Array([Name.Separation, Name(name), space[2], function])
    attributes.Colorants = inks
    if len(space) == 4:
        space.append(attributes)
    else:
        space[4] = attributes


def _spaces(item: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEP or not isinstance(item, (Array, Dictionary, Stream)):
        return
    if isinstance(item, Array) and len(item) >= 4 and item[0] in (Name.Separation, Name.DeviceN):
        yield item
    for value in list(item) if isinstance(item, Array) else [value for _, value in item.items()]:
        if isinstance(value, (Array, Dictionary, Stream)) and not value.is_indirect:
            yield from _spaces(value, depth + 1)


def _leftover_fields(pdf: pikepdf.Pdf) -> None:
    """Fields that belong to no form are drawn as pictures, or go when they show nothing."""
    for page in pdf.pages:
        annotations = page.obj.get("/Annots")
        if not isinstance(annotations, Array):
            continue
        kept = Array()
        for annotation in annotations:
            if isinstance(annotation, Dictionary) and annotation.get("/Subtype") == Name.Widget:
                look = annotation.get("/AP")
                if not isinstance(look, Dictionary) or not isinstance(look.get("/N"), Stream):
                    continue
                for key in _FIELD_KEYS:
                    if key in annotation:
                        del annotation[key]
                annotation.Subtype = Name.Stamp
            kept.append(annotation)
        page.obj.Annots = kept


def _fonts_named(pdf: pikepdf.Pdf) -> None:
    """Give font dictionaries the entries that only name them."""
    for font in pdf_glyph_use.fonts(pdf).values():
        font.Type = Name.Font
        if "/BaseFont" not in font and font.get("/Subtype") != Name.Type3:
            font.BaseFont = Name.Unnamed
        below = font.get("/DescendantFonts")
        if isinstance(below, Array) and len(below) and isinstance(below[0], Dictionary):
            below[0].Type = Name.Font
            if "/BaseFont" not in below[0]:
                below[0].BaseFont = font.BaseFont


_BLEND_MODES = frozenset(
    re.findall(
        "/[A-Za-z]+",
        "/Normal /Compatible /Multiply /Screen /Overlay /Darken /Lighten /ColorDodge /ColorBurn /HardLight "
        "/SoftLight /Difference /Exclusion /Hue /Saturation /Color /Luminosity",
    )
)
_FIELD_KEYS = tuple(re.findall("/[A-Za-z]+", "/FT/Ff/V/DV/MK/Parent/T/TU/TM/DA/Q/H/A/AA"))
_CALCULATOR = 4
_MOST_PIXELS = 40_000_000
_DEEP = 12

_RULES: tuple[tuple[Remedy, tuple[str, ...]], ...] = (
    (pdf_contents.clean, ("6.1.6-1", "6.1.6-2", "6.1.13-1", "6.1.13-3", "6.2.2-1", "6.2.6-1", "6.2.8-3")),
    (_resources, ("6.2.2-2",)),
    (pdf_inks.give_everywhere, ("6.2.4.3-3",)),
    (_overprint, ("6.2.4.2-2",)),
    (_blending, ("6.2.10-1",)),
    (_jpeg2000, ("6.2.8.3-1", "6.2.8.3-2", "6.2.8.3-3", "6.2.8.3-4", "6.2.8.3-5")),
    (_separations, ("6.2.4.4-1", "6.2.4.4-2")),
    (_leftover_fields, ("6.3.3-1", "6.3.3-2", "6.3.3-3", "6.3.3-4", "6.4.1-1")),
    (_fonts_named, ("6.2.11.2-1", "6.2.11.2-2", "6.2.11.2-3")),
    (
        pdf_font_remake.remake,
        (
            "6.2.11.3.1-1",
            "6.2.11.3.3-1",
            "6.2.11.3.3-2",
            "6.2.11.4.1-2",
            "6.2.11.5-1",
            "6.2.11.6-1",
            "6.2.11.6-2",
            "6.2.11.6-3",
            "6.2.11.6-4",
            "6.2.11.8-1",
            "6.1.13-10",
        ),
    ),
)
_REMEDIES: Mapping[str, Remedy] = {rule: remedy for remedy, rules in _RULES for rule in rules}
