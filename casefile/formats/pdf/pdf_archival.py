"""Opening hostile PDFs with bounds, and closing them as PDF/A-3b with the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, pdfa, settings

from casefile.errors import BadInput

LARGEST_SIDE = 14_400.0
SMALLEST_SIDE = 3.0
"""Sides of a page, in points, that PDF/A allows (ISO 19005-2, 6.1.13)."""

HIDDEN = 2 | 32
"""Flags of an annotation that no viewer shows: Hidden and NoView."""

_XMP = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""

_REACHES_OUT = ("/AcroForm", "/AA", "/OpenAction", "/Perms", "/OCProperties", "/AF")


def bound_memory(most: int) -> None:
    """Let no single stream unpack to more than ``most`` bytes in this process; call it once, at the start."""
    settings.set_qpdf_limits(
        flate_max_memory=most,
        run_length_max_memory=most,
        png_max_memory=most,
        tiff_max_memory=most,
        dct_max_memory=most,
        doc_max_warnings=2000,
    )


def opened(path: Path, password: str = "") -> pikepdf.Pdf:
    """Open a PDF to change a copy of it.

    Raises:
        BadInput: PDF-LOCKED, PDF-UNREADABLE or PDF-NO-PAGES.
    """
    try:
        pdf = pikepdf.open(path, password=password)
        pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise BadInput("PDF-LOCKED", subject=path.name) from None
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        # qpdf takes a tree without a page for damage, which it is not.
        code = "PDF-NO-PAGES" if str(error).endswith("no pages found") else "PDF-UNREADABLE"
        raise BadInput(code, subject=path.name, reason=_said(error, path)) from None
    if pages == 0:
        pdf.close()
        raise BadInput("PDF-NO-PAGES", subject=path.name)
    return pdf


def _said(error: Exception, path: Path) -> str:
    # qpdf begins its messages with the whole path.
    return str(error).replace(f"{path}", path.name)[:200]


Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""


def impossible_page(pdf: pikepdf.Pdf) -> int | None:
    """Number of the first page that no PDF/A may hold, or None."""
    for number, page in enumerate(pdf.pages, 1):
        if not all(possible(box) for box in boxes(page)):
            return number
    return None


def boxes(page: pikepdf.Page) -> tuple[Box, Box]:
    """The medium and the crop box of a page, corners in order."""
    found = []
    for box in (page.mediabox, page.cropbox):
        one, two, three, four = (float(edge) for edge in box.as_list())
        found.append((min(one, three), min(two, four), max(one, three), max(two, four)))
    return found[0], found[1]


def possible(box: Box) -> bool:
    """True when PDF/A allows a page of this size (ISO 19005-2, 6.1.13)."""
    sides = box[2] - box[0], box[3] - box[1]
    return min(sides) >= SMALLEST_SIDE and max(sides) <= LARGEST_SIDE


def claimed(pdf: pikepdf.Pdf) -> str:
    """The flavour that the file says it has, such as ``2b``; empty when it claims none."""
    try:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            return str(metadata.pdfa_status).lower()
    except Exception:
        # Whatever is wrong with the metadata, the file then claims nothing that can be read.
        return ""


def plain(pdf: pikepdf.Pdf) -> bool:
    """True when nothing in the file reaches beyond its pages: no form, annotation, script, layer, attachment.

    Such a file can be bound as it is.
    """
    if any(key in pdf.Root for key in _REACHES_OUT):
        return False
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary) and ("/EmbeddedFiles" in names or "/JavaScript" in names):
        return False
    return not any("/Annots" in page.obj or "/AA" in page.obj for page in pdf.pages)


def hidden(pdf: pikepdf.Pdf) -> tuple[int, ...]:
    """Numbers of the pages with annotations that viewers do not show (ISO 32000-1, 12.5.3).

    Links and the windows of remarks have no look of their own, and a field without a value hides nothing.
    """
    return tuple(number for number, page in enumerate(pdf.pages, 1) if _hides(page.obj.get("/Annots")))


def _hides(annotations: Any) -> bool:
    for one in annotations if isinstance(annotations, Array) else ():
        if not isinstance(one, Dictionary):
            continue
        flags = one.get("/F", 0)
        kind = str(one.get("/Subtype"))
        told = kind not in ("/Link", "/Popup") and (kind != "/Widget" or "/V" in one)
        if told and isinstance(flags, int) and flags & HIDDEN:
            return True
    return False


def signed(pdf: pikepdf.Pdf) -> bool:
    """True when the file bears an electronic signature, valid or not."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return False
    return any(
        isinstance(item, pikepdf.Dictionary) and item.get("/FT") == Name.Sig and "/V" in item
        for item in pdf.objects
    )


def save_archival(pdf: pikepdf.Pdf, target: Path) -> None:
    """Prepare as PDF/A-3b and save: the same document gives the same bytes.

    The description of the file is replaced by the bare claim of conformance, since the original is kept
    beside the dossier and pikepdf would write the time of day into it.
    """
    pdfa.prepare(pdf, "3b")
    pdf.Root.Metadata = pdf.make_stream(_XMP, Type=Name.Metadata, Subtype=Name.XML)
    # Makers of PDF put the time of day into /ID too, and its first half would be carried over.
    for key in ("/Info", "/ID"):
        if key in pdf.trailer:
            del pdf.trailer[key]
    pdf.remove_unreferenced_resources()
    pdf.save(target, **pdfa.resolve_save_kwargs("3b", deterministic_id=True, force_version="1.7"))


def ends(source: Path, target: Path, pages: int) -> None:
    """A copy with only the first and the last ``pages`` of a longer document."""
    with pikepdf.open(source) as pdf:
        del pdf.pages[pages : len(pdf.pages) - pages]
        pdf.remove_unreferenced_resources()
        pdf.save(target, **pdfa.resolve_save_kwargs("3b", deterministic_id=True))
