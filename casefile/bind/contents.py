"""The list of contents that travels inside of a bound volume as data: ``contents.xml``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lxml import etree

from casefile.bind.layout import Book
from casefile.model.case import Case
from casefile.model.dossier import Placement

NAMESPACE = "urn:casefile:contents:1"


def contents(case: Case, book: Book, code: str, placements: Sequence[Placement], at: dt.datetime) -> bytes:
    """Every item with its pages and digests; the same rows as the catalogue, for programs."""
    root = etree.Element(
        f"{{{NAMESPACE}}}contents",
        {
            "caseNo": case.case_no,
            "archivalCode": code,
            "volume": book.volume.value,
            "book": str(book.number),
            "books": str(book.of),
            "title": case.title,
            "boundAt": at.isoformat(timespec="seconds"),
            "items": str(len(placements)),
            "pages": str(placements[-1].pages.last - placements[0].pages.first + 1),
        },
        nsmap={None: NAMESPACE},
    )
    for one in placements:
        part = one.part
        item = etree.SubElement(root, f"{{{NAMESPACE}}}item", {"seq": str(one.seq), "id": part.id})
        for name, value in (
            ("type", part.type_id),
            ("title", part.title),
            ("docNo", part.doc_no),
            ("author", part.author),
            ("date", part.date.isoformat() if part.date else ""),
            ("firstPage", str(one.pages.first)),
            ("lastPage", str(one.pages.last)),
            ("firstSheet", str(one.first_sheet + 1)),
            ("sheets", str(part.pages)),
            ("blank", " ".join(map(str, one.blank))),
            ("before", str(one.before or "")),
            ("route", part.route.value),
            ("sha256", part.sha256),
            ("originalSha256", part.original_sha256),
            ("originalFormat", part.original_format),
            ("note", part.note),
        ):
            if value:
                etree.SubElement(item, f"{{{NAMESPACE}}}{name}").text = value
    written = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    assert isinstance(written, bytes)
    return written
