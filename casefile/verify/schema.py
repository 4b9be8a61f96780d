"""The manifest against its schema, and the rules that a schema can't state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from casefile import resources
from casefile.errors import BadInput
from casefile.formats import xml
from casefile.model.finding import Finding
from casefile.verify.manifest import ListedItem, ListedVolume, Manifest
from casefile.verify.subject import MANIFEST, Complaints, Subject

_SHOWN = 20


def check(subject: Subject) -> Complaints:
    """Name each place that breaks a rule."""
    if subject.raw_manifest is None:
        return
    case_no = subject.case_no
    try:
        root = xml.parse(subject.raw_manifest, MANIFEST)
    except BadInput:
        return  # said already, when the subject was opened
    # Our own copy of the schema: the one in the package belongs to what is being judged.
    errors = xml.schema_errors(root, resources.root("archive_schema") / "manifest.xsd")
    for line, reason in errors[:_SHOWN]:
        yield Finding("VERIFY-SCHEMA", MANIFEST, case_no, {"line": str(line), "reason": reason})
    if len(errors) > _SHOWN:
        more = f"+{len(errors) - _SHOWN}"
        yield Finding("VERIFY-SCHEMA", MANIFEST, case_no, {"line": "", "reason": more})
    manifest = subject.manifest
    if manifest is None:
        return
    if case_no and manifest.case_no != case_no:
        wanted = {"found": manifest.case_no, "wanted": case_no}
        yield Finding("VERIFY-OTHER-CASE", MANIFEST, case_no, wanted)
    for code, what in _rules(manifest):
        yield Finding(code, MANIFEST, case_no, {"what": what})


def _rules(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for kind in dict.fromkeys(volume.kind for volume in manifest.volumes):
        books = [volume for volume in manifest.volumes if volume.kind == kind]
        yield from _books(books, len(manifest.supplements))
        yield from _pages(books)
    for volume in manifest.volumes:
        yield from _links(volume, manifest)
    items = [item for volume in manifest.volumes for item in volume.items]
    pages = sum(item.last - item.first + 1 for item in items)
    if (manifest.total_items, manifest.total_pages) != (len(items), pages):
        said = f"{manifest.total_items}/{manifest.total_pages}"
        yield "VERIFY-TOTALS", f"{said} ≠ {len(items)}/{pages}"
    yield from _dates(manifest)


def _books(books: Sequence[ListedVolume], additions: int) -> Iterator[tuple[str, str]]:
    """All books of a volume are there, in order, and each knows how many there were when it was bound.

    They were bound at once, or in as many goes more as there were additions.
    """
    said = [(volume.book, volume.books) for volume in books]
    goes = sorted({of for _, of in said})
    numbers = range(1, len(books) + 1)
    wanted = [(number, next((of for of in goes if of >= number), 0)) for number in numbers]
    if said != wanted or goes[-1] != len(books) or len(goes) > 1 + additions:
        shown = "、".join(f"{book}/{of}" for book, of in said)
        yield "VERIFY-BOOKS", f"{books[0].kind} {shown}"


def _pages(books: Sequence[ListedVolume]) -> Iterator[tuple[str, str]]:
    """Sequence numbers and page ranges leave no gap and never overlap, through all books of a volume."""
    seq = last_page = 0
    for volume in books:
        # Cover and catalogue come first; how long they are is for the file itself to show.
        end = volume.items[0].sheet - 1 - volume.items[0].before if volume.items else 0
        for item in volume.items:
            seq += 1
            what = f"{volume.path} #{item.seq} {item.title}"
            if item.seq != seq:
                yield "VERIFY-SEQUENCE", what
            if not _follows(item, last_page, end):
                yield "VERIFY-PAGE-RANGE", f"{what} {item.first}-{item.last}"
            last_page, end = item.last, item.sheet - 1 + item.sheets
        if end > volume.sheets:
            yield "VERIFY-PAGE-RANGE", f"{volume.path} {end} > {volume.sheets}"


def _follows(item: ListedItem, last_page: int, end: int) -> bool:
    blank = item.blank
    return (
        item.first == last_page + 1
        and item.last - item.first + 1 == item.sheets - len(blank) > 0
        and item.sheet - 1 == end + item.before
        and list(blank) == sorted(set(blank))
        and all(1 <= page <= item.sheets for page in blank)
    )


def _links(volume: ListedVolume, manifest: Manifest) -> Iterator[tuple[str, str]]:
    files = {file.path: file for file in manifest.files}
    if volume.path not in files or files[volume.path].sha256 != volume.sha256:
        yield "VERIFY-DISAGREES", volume.path
    for item in volume.items:
        if not item.original_path:
            continue
        if item.original_path not in files or files[item.original_path].sha256 != item.original_sha256:
            yield "VERIFY-DISAGREES", f"{volume.path} #{item.seq} {item.original_path}"


def _dates(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if manifest.first_day > manifest.last_day:
        yield "VERIFY-DATES", f"{manifest.first_day} > {manifest.last_day}"
    for volume in manifest.volumes:
        for item in volume.items:
            if item.date and not manifest.first_day <= item.date <= manifest.last_day:
                yield "VERIFY-DATES", f"{volume.path} #{item.seq} {item.date}"
    # Times of archiving come from two clocks, this office's and the timestamp authority's: not compared.
    sealed = manifest.created.date().isoformat()
    for event in manifest.events:
        if "T" not in event.at and event.at > sealed:
            yield "VERIFY-DATES", f"{event.activity} {event.at} > {sealed}"
