"""The bound volumes of a case, before and after signing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casefile.model.document import Part
from casefile.model.terms import Role, Volume


@dataclass(frozen=True, slots=True)
class PageRange:
    """Stamped page numbers, from 1 to the last, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        """Refuse a range that holds no page.

        Raises:
            ValueError: when ``first`` is below 1 or ``last`` below ``first``.
        """
        if not 1 <= self.first <= self.last:
            raise ValueError(f"no pages in {self.first}-{self.last}")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a part stands in its volume: ``seq`` from 1, stamped page numbers, sheet index from 0.

    ``before`` sheets of binding lie right in front of it: a divider, the empty back of a leaf.
    """

    seq: int
    part: Part
    pages: PageRange
    first_sheet: int
    before: int = 0

    @property
    def blank(self) -> tuple[int, ...]:
        """Pages of the part, from 1, that bear no number (空白面)."""
        return unnumbered(self.part)

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """The number of each page of the part, None where it bears none."""
        blank = set(self.blank)
        running = iter(range(self.pages.first, self.pages.last + 1))
        return tuple(None if page in blank else next(running) for page in range(1, self.part.pages + 1))


def unnumbered(part: Part) -> tuple[int, ...]:
    """Pages of ``part``, from 1, that bear no number: those on which nothing is to be seen.

    A part of which nothing at all is to be seen is numbered all the same, so that nobody can take it out
    unnoticed.
    """
    blank = tuple(sorted({page for page in part.blank if 1 <= page <= part.pages}))
    return blank if len(blank) < part.pages else ()


def book_zh(volume: Volume, book: int, books: int) -> str:
    """What one file of a volume is called: 正卷, or 正卷第2册 where there are several."""
    return volume.zh if books == 1 else f"{volume.zh}第{book}册"


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """A signature field to be filled (签名位置): sheet index from 0, box in points from the lower left."""

    name: str
    role: Role
    sheet: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class BoundVolume:
    """One bound PDF/A-3b file: a volume (一卷), or one book (册) of a volume that has several.

    ``sheets`` counts all its pages, front matter included. ``book`` counts from 1 to ``books``, the number
    of books when it was bound: later additions come in books of their own (补充册). Sequence and page numbers
    run on from book to book.
    """

    volume: Volume
    pdf: Path
    sha256: str
    sheets: int
    placements: tuple[Placement, ...]
    boxes: tuple[SignatureBox, ...]
    archival_code: str
    book: int = 1
    books: int = 1

    @property
    def name(self) -> str:
        """File name without suffix: ``main``, or ``main-2`` where the volume has several books."""
        return self.volume.value if self.books == 1 else f"{self.volume.value}-{self.book}"

    @property
    def zh(self) -> str:
        """What people call it: 正卷, or 正卷第2册 where there are several."""
        return book_zh(self.volume, self.book, self.books)


@dataclass(frozen=True, slots=True)
class AppliedSignature:
    """One signature that was made: its field, signer and what it reached (``B-LT``, ``B-LTA``)."""

    field: str
    role: Role
    signer: str
    certificate_sha256: str
    level: str
    signed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SignedVolume:
    """A bound volume with its signatures, in order. ``sha256`` is that of the final file."""

    bound: BoundVolume
    pdf: Path
    sha256: str
    signatures: tuple[AppliedSignature, ...]


@dataclass(frozen=True, slots=True)
class Supplement:
    """A later addition to an archived dossier (补充归卷).

    ``version`` is that of the package that brought it, such as ``v2``; ``items`` are the ids of the parts
    added. ``former`` holds path in the package and SHA-256 of each archived file that an added one continues.
    """

    version: str
    on: dt.date
    reason: str
    items: tuple[str, ...]
    former: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FiledFile:
    """One file of an archived package: where it lies, and what its manifest says of it."""

    path: Path
    sha256: str
    role: str
    received_as: str = ""


@dataclass(frozen=True, slots=True)
class FiledAct:
    """An act that the manifest of an archived package tells of: ``at`` as it stands there."""

    activity: str
    at: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """What the archive holds of a case (已归档案卷), read back from it and found unchanged.

    ``files`` are those that the newest manifest lists, ``seals`` the manifest itself with signature and
    timestamp, by their path in the package. The parts of the volumes have no file of their own (``Part.pdf``
    is the volume) but for issued documents.
    """

    case_no: str
    title: str
    version: str
    manifest_sha256: str
    volumes: tuple[SignedVolume, ...]
    files: Mapping[str, FiledFile]
    seals: Mapping[str, Path]
    supplements: tuple[Supplement, ...]
    acts: tuple[FiledAct, ...]

    @property
    def next_version(self) -> str:
        """The version that an addition will have."""
        return f"v{int(self.version[1:]) + 1}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part, volume by volume."""
        return tuple(one.part for volume in self.volumes for one in volume.bound.placements)


@dataclass(frozen=True, slots=True)
class Dossier:
    """The bound volume set of a case (案卷), unsigned.

    Bound onto an archived one, it holds the books that were added (补充册), and in ``kept`` all that is
    archived, which stays as it is, signatures and all.
    """

    case_no: str
    title: str
    volumes: tuple[BoundVolume, ...]
    bound_at: dt.datetime
    kept: tuple[SignedVolume, ...] = ()
    supplements: tuple[Supplement, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedDossier:
    """A dossier closed and signed. The last of ``supplements`` is the one that it was bound for."""

    case_no: str
    title: str
    volumes: tuple[SignedVolume, ...]
    bound_at: dt.datetime
    supplements: tuple[Supplement, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """What is archived (归档包): a staged folder, ready to be stored as one object version.

    ``manifest_sha256`` is the digest of ``manifest.xml``, ``follows`` that of the version before, or empty.
    """

    case_no: str
    archival_code: str
    folder: Path
    manifest_sha256: str
    files: Mapping[str, str]
    follows: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """A package in the archive (已归档): object id, version such as ``v1``, object folder."""

    case_no: str
    object_id: str
    version: str
    folder: Path
    manifest_sha256: str
