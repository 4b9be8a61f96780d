"""A rendered document is taken only when it is whole: pages, fonts, every word that was filled in, PDF/A-3b.

A row of exact height hides all but its first lines, a lost font is replaced in silence, and veraPDF passes
both; so the text of the PDF is compared with what the template printed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from casefile.formats.office.docx import Printed
from casefile.formats.pdf import pdf_text
from casefile.formats.pdf.pdf_canonical import Canonical
from casefile.model.finding import Finding
from casefile.tools.fonts import Fonts, plain_name

if TYPE_CHECKING:
    from casefile.tools.verapdf import Verdict

_LONGEST_SHOWN = 12


def complaints(
    pdf: Path, canonical: Canonical, printed: Sequence[Printed], fonts: Fonts, title: str
) -> Iterator[Finding]:
    """Why the pages can't be accepted; nothing when they can.

    ``printed`` holds texts by the Chinese name of their field.
    """
    if canonical.pages == 0:
        yield Finding("RENDER-NO-PAGES", subject=title)
        return
    for name in sorted(canonical.not_embedded):
        yield Finding("RENDER-FONT-MISSING", subject=title, params={"font": name.lstrip("/")})
    for name in sorted(canonical.fonts):
        if not any(plain_name(name).startswith(allowed) for allowed in fonts.allowed):
            yield Finding("RENDER-FONT-FOREIGN", subject=title, params={"font": name.lstrip("/")})
    pages = [_bare(text) for text in pdf_text.texts(pdf)]
    lost: list[str] = []
    for item in dict.fromkeys(printed):
        told = not item.path and any(item.text in text or text in item.text for text in lost)
        if not told and not shows(pages, item.text):
            lost.append(item.text)
            yield Finding(
                "RENDER-TEXT-LOST",
                subject=f"{title}：{item.path}" if item.path else title,
                params={"field": item.path or title, "start": _start(item.text)},
            )


def archival(verdict: Verdict, title: str) -> Iterator[Finding]:
    """Why the document is not PDF/A-3b (ISO 19005-3), in the words of veraPDF."""
    if verdict.compliant is None:
        yield Finding("RENDER-UNCHECKED", subject=title, params={"reason": verdict.reason})
    elif not verdict.compliant:
        yield Finding("RENDER-NOT-PDFA", subject=title, params={"reason": "；".join(verdict.failures[:3])})


def shows(pages: Sequence[str], text: str) -> bool:
    """True when ``text`` stands in the bare text of the pages, blanks and page ends aside."""
    wanted = _bare(text)
    if _spread(pages, wanted):
        return True
    # A rare character comes from another font of the chain and may be extracted out of its place.
    rare = {c for c in wanted if not _common(c)}
    whole = "".join(pages)
    if not rare or not all(whole.count(c) >= wanted.count(c) for c in rare):
        return False
    thinned = [_without(page, rare) for page in pages]
    return _spread(thinned, _without(wanted, rare))


def _spread(pages: Sequence[str], wanted: str) -> bool:
    if not wanted or any(wanted in page for page in pages):
        return True
    # Page numbers stand between the pages of a text that runs on: its parts are looked for page by page.
    for start in range(len(pages)):
        rest = wanted
        for page in pages[start:]:
            rest = rest[_longest_prefix(rest, page) :]
            if not rest:
                return True
    return False


def _longest_prefix(text: str, page: str) -> int:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text[:middle] in page:
            low = middle
        else:
            high = middle - 1
    return low


def _bare(text: str) -> str:
    # PDFium writes a hyphen at the end of a line as U+FFFE or U+0002.
    return "".join(
        c
        for c in unicodedata.normalize("NFKC", text)
        if not c.isspace() and c not in "-\u2010\u00ad\ufffe\x02\a"
    )


def _common(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _without(text: str, chars: set[str]) -> str:
    return "".join(c for c in text if c not in chars)


def _start(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_SHOWN else f"{flat[:_LONGEST_SHOWN]}…"
