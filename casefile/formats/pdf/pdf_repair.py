"""Makes an ordinary PDF fit for PDF/A-3b without touching how its pages look.

Everything that moves, calls out or plays goes; forms become part of the page; what is merely missing is
added, fonts too where an installed one matches. Page content stays, but for what breaks a rule that the
validator named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, sanitize

from casefile.errors import BadInput
from casefile.formats.fonts import pdf_fonts
from casefile.formats.pdf import pdf_appearances, pdf_archival, pdf_inks, pdf_remedies

_LOUD_ANNOTATIONS = {"/Sound", "/Movie", "/3D", "/RichMedia", "/Screen", "/FileAttachment"}
_LOOK_OF_STAMP = {"/Type", "/Subtype", "/Rect", "/AP", "/AS", "/F", "/P", "/NM", "/M", "/Contents", "/OC"}
_ALLOWED_ACTIONS = {"/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/Named", "/SubmitForm"}
_ALLOWED_NAMED = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}
_INTENTS = {"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"}
_CATALOG_GOES = (
    "/AA",
    "/Perms",
    "/Requirements",
    "/NeedsRendering",
    "/Legal",
    "/Threads",
    "/Collection",
    "/Extensions",
    "/AF",
)

# qpdf and its objects complain in many ways about odd input; one odd object must not cost the file.
_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)


@dataclass(frozen=True, slots=True)
class Repaired:
    """``stopped`` are the steps that an odd object stopped half way, ``fonts`` those that were embedded."""

    stopped: tuple[str, ...] = ()
    fonts: tuple[pdf_fonts.Replaced, ...] = ()


def repair(source: Path, target: Path, password: str = "", broken: frozenset[str] = frozenset()) -> Repaired:
    """Write a repaired copy. ``broken`` are rules that an earlier copy still broke, as ``6.2.11.5-1``.

    Raises:
        BadInput: PDF-LOCKED, PDF-UNREADABLE, PDF-NO-PAGES; PDF-FORM-TEXT for form fields whose text only a
            viewer can draw; PDF-UNREPAIRED when the result can't be written.
    """
    with pdf_archival.opened(source, password) as pdf:
        if _undrawn_text(pdf):
            raise BadInput("PDF-FORM-TEXT", subject=source.name)
        stopped = []
        for step in (*_STEPS, *pdf_remedies.against(broken)):
            try:
                step(pdf)
            except Exception:
                # Readers of fonts and pictures fail on broken ones in ways that nobody lists.
                stopped.append(step.__name__.strip("_"))
        fonts: tuple[pdf_fonts.Replaced, ...] = ()
        try:
            fonts = pdf_fonts.embed(pdf)
        except (*_ODD, BadInput):
            stopped.append("fonts")
        try:
            pdf_archival.save_archival(pdf, target)
        except _ODD as error:
            raise BadInput("PDF-UNREPAIRED", subject=source.name, reason=error) from None
        return Repaired(tuple(stopped), fonts)


def _undrawn_text(pdf: pikepdf.Pdf) -> bool:
    # qpdf draws missing appearances in Latin only: Chinese field values would turn into question marks.
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, Dictionary) or not form.get("/NeedAppearances", False):
        return False
    for item in pdf.objects:
        value = item.get("/V") if isinstance(item, Dictionary) and "/FT" in item else None
        if isinstance(value, pikepdf.String) and not str(value).isascii():
            return True
    return False


def _sanitise(pdf: pikepdf.Pdf) -> None:
    sanitize.remove_javascript(pdf)
    sanitize.remove_multimedia(pdf)
    sanitize.remove_private_app_data(pdf)
    sanitize.remove_web_capture(pdf)
    sanitize.remove_thumbnails(pdf)
    sanitize.remove_attachments(pdf)


def _catalog(pdf: pikepdf.Pdf) -> None:
    root = pdf.Root
    for key in _CATALOG_GOES:
        if key in root:
            del root[key]
    if "/OpenAction" in root and not isinstance(root.OpenAction, Array):
        del root["/OpenAction"]


def _forms(pdf: pikepdf.Pdf) -> None:
    if "/AcroForm" not in pdf.Root:
        return
    try:
        pdf.generate_appearance_streams()
        pdf.flatten_annotations("all")
    finally:
        _drop(pdf.Root, "/AcroForm")


def _layers(pdf: pikepdf.Pdf) -> None:
    layers = pdf.Root.get("/OCProperties")
    if not isinstance(layers, Dictionary):
        return
    groups = list(layers.get("/OCGs", Array()))
    configurations = [layers.get("/D"), *layers.get("/Configs", Array())]
    for number, configuration in enumerate(c for c in configurations if isinstance(c, Dictionary)):
        if "/AS" in configuration:
            del configuration["/AS"]
        configuration.Name = pikepdf.String(f"Layers {number}" if number else "Layers")
        order = configuration.get("/Order")
        if isinstance(order, Array):
            listed = set(_listed(order))
            for group in groups:
                if group.objgen not in listed:
                    order.append(group)


def _listed(order: Any, depth: int = 0) -> Iterator[tuple[int, int]]:
    for item in order:
        if isinstance(item, Array) and depth < 30:
            yield from _listed(item, depth + 1)
        elif isinstance(item, Dictionary):
            yield item.objgen


def _objects(pdf: pikepdf.Pdf) -> None:
    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)):
            try:
                _object(item)
            except _ODD:
                continue


def _object(item: Any) -> None:
    if isinstance(item, Stream):
        _drop(item, "/F", "/FFilter", "/FDecodeParms")
        subtype = item.get("/Subtype")
        if subtype == Name.Image:
            _drop(item, "/Alternates", "/OPI", "/Interpolate")
            if "/Intent" in item and str(item.Intent) not in _INTENTS:
                del item["/Intent"]
        elif subtype == Name.Form:
            _drop(item, "/OPI", "/PS", "/Ref")
            if item.get("/Subtype2") == Name.PS:
                del item["/Subtype2"]
        filters = item.get("/Filter")
        names = list(filters) if isinstance(filters, Array) else [filters]
        if Name.LZWDecode in names:
            item.write(item.read_bytes())
        return
    kind = item.get("/Type")
    if kind == Name.ExtGState or any(key in item for key in ("/TR", "/TR2", "/HTP", "/HTO")):
        _drop(item, "/TR", "/HTP", "/HTO", "/HT")
        if "/TR2" in item and Name.Default != item.TR2:
            del item["/TR2"]
        if "/RI" in item and str(item.RI) not in _INTENTS:
            del item["/RI"]
    elif kind == Name.FontDescriptor:
        _drop(item, "/CIDSet", "/CharSet")
    elif item.get("/Subtype") == Name.CIDFontType2 and "/CIDToGIDMap" not in item:
        descriptor = item.get("/FontDescriptor")
        if isinstance(descriptor, Dictionary) and "/FontFile2" in descriptor:
            item.CIDToGIDMap = Name.Identity
    _drop(item, "/AA", "/PresSteps")
    for key in ("/A", "/PA"):
        action = item.get(key)
        if isinstance(action, Dictionary) and "/S" in action and not _harmless(action):
            del item[key]


def _harmless(action: Any) -> bool:
    kind = str(action.S)
    return kind in _ALLOWED_ACTIONS and (kind != "/Named" or str(action.get("/N")) in _ALLOWED_NAMED)


def _annotations(pdf: pikepdf.Pdf) -> None:
    for page in pdf.pages:
        annotations = page.obj.get("/Annots")
        if not isinstance(annotations, Array):
            _drop(page.obj, "/Annots")
            continue
        kept = Array()
        for annotation in annotations:
            if not isinstance(annotation, Dictionary):
                continue
            try:
                if str(annotation.get("/Subtype")) in _LOUD_ANNOTATIONS and not _silenced(annotation):
                    continue
                _annotation(pdf, annotation)
            except _ODD:
                continue
            kept.append(annotation)
        page.obj.Annots = kept


def _silenced(annotation: Any) -> bool:
    """Leave of a film or sound what stands on the page: its picture. False when there is none."""
    look = annotation.get("/AP")
    normal = look.get("/N") if isinstance(look, Dictionary) else None
    if not isinstance(normal, (Stream, Dictionary)):
        return False
    for key in set(annotation.keys()) - _LOOK_OF_STAMP:
        del annotation[key]
    annotation.Subtype = Name.Stamp
    return True


def _annotation(pdf: pikepdf.Pdf, annotation: Any) -> None:
    flags = int(annotation.get("/F", 4))
    if flags & pdf_archival.HIDDEN and str(annotation.get("/Subtype")) not in ("/Link", "/Popup"):
        # Nobody saw it, and PDF/A would show it.
        raise ValueError("hidden")
    annotation.F = (flags | 4) & ~(1 | 2 | 32 | 256)
    look = annotation.get("/AP")
    if isinstance(look, Dictionary):
        _drop(look, "/R", "/D")
    if str(annotation.get("/Subtype")) in ("/Link", "/Popup"):
        return
    normal = look.get("/N") if isinstance(look, Dictionary) else None
    if isinstance(normal, Dictionary) and not isinstance(normal, Stream):
        normal = normal.get(str(annotation.get("/AS", "/Off")))
    if not isinstance(normal, Stream):
        normal = pdf_appearances.drawn(pdf, annotation)
    if not isinstance(normal, Stream):
        box = annotation.get("/Rect", Array([0, 0, 0, 0]))
        left, bottom, right, top = (float(edge) for edge in box)
        normal = pdf.make_stream(
            b"",
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, abs(right - left), abs(top - bottom)]),
            Resources=Dictionary(),
        )
    annotation.AP = Dictionary(N=normal)


def _unknowns(pdf: pikepdf.Pdf) -> None:
    # Bound into a dossier there is no structure tree and no private description of pages and pictures.
    _drop(pdf.Root, "/StructTreeRoot", "/MarkInfo")
    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)) and item.objgen != pdf.Root.objgen:
            _drop(item, "/StructParents", "/StructParent", "/Metadata", "/PieceInfo", "/Thumb", "/Tabs")


def _drop(item: Any, *keys: str) -> None:
    for key in keys:
        if key in item:
            del item[key]


_STEPS: tuple[Callable[[pikepdf.Pdf], None], ...] = (
    _sanitise,
    _catalog,
    _forms,
    _layers,
    _objects,
    _annotations,
    pdf_inks.give_default,
    _unknowns,
)
