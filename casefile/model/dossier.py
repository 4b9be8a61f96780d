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
    """Where a part stands in its volume: ``seq`` from 1, stamped page numbers, sheet index from 0."""

    seq: int
    part: Part
    pages: PageRange
    first_sheet: int


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """A signature field to be filled (签名位置): sheet index from 0, box in points from the lower left."""

    name: str
    role: Role
    sheet: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class BoundVolume:
    """One bound PDF/A-3b file (一卷). ``sheets`` counts all its pages, front matter included."""

    volume: Volume
    pdf: Path
    sha256: str
    sheets: int
    placements: tuple[Placement, ...]
    boxes: tuple[SignatureBox, ...]
    archival_code: str


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
    added. ``former`` holds path in the package and SHA-256 of each volume that it changed, as it was before.
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

    Bound onto an archived one, it holds the volumes to which something was added, and in ``kept`` those that
    stay as they are, signatures and all.
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
