"""manifest.xml: DA/T 48 by reference. Element names are ASCII; the schema says what each one means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from casefile import resources
from casefile.errors import BadInput
from casefile.formats import xml
from casefile.model.case import Case, RegisterRow
from casefile.model.document import Evidence, Part
from casefile.model.dossier import Filed, Placement, SignedDossier, SignedVolume, Supplement
from casefile.model.terms import Secrecy, Volume
from casefile.package.contents import UNKNOWN, Staged

NAMESPACE = "urn:casefile:archive:1"
FORMAT = (
    "按 DA/T 48-2009 的封装结构以文件引用方式编制：清单列出包内每个文件的路径、大小、SHA-256 与 SM3 摘要，"
    "清单的电子签名与时间戳另附于 manifest.xml.p7s、manifest.xml.tsr"
)

# A case file is not open to the public unless published, so no mark means 限制, not 公开.
_SECURITY: Mapping[str, str] = {
    Secrecy.NONE: "限制",
    Secrecy.WORK: "限制",
    Secrecy.SECRET: "秘密",
    Secrecy.CONFIDENTIAL: "机密",
    Secrecy.TOP_SECRET: "绝密",
}
_LONGEST, _FACTS = 2000, 200
"""Characters of one text, and facts of one item, that the manifest holds."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Happened:
    """A business act or an act of archiving: ``at`` is a date or a time with its offset."""

    activity: str
    at: dt.date | dt.datetime
    description: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """All that a manifest says."""

    case: Case
    row: RegisterRow | None
    signed: SignedDossier
    files: Sequence[Staged]
    refusals: Sequence[Evidence]
    evidence: Sequence[Evidence]
    events: Sequence[Happened]
    programs: Mapping[str, str]
    fonts: Sequence[Mapping[str, str]]
    created: dt.datetime
    creator: str
    object_id: str
    archival_code: str
    fonds: str
    year: int
    retention: str
    inputs_sha256: str
    signer: str
    certificate_sha256: str
    timestamped: bool
    filed: Filed | None = None
    """The version that this one follows."""


def written(statement: Statement) -> bytes:
    """The manifest as bytes, checked against its schema.

    Raises:
        BadInput: PACKAGE-MANIFEST, when something in the case can't stand in a manifest.
    """
    root = _package(statement)
    errors = xml.schema_errors(root, resources.root("archive_schema") / "manifest.xsd")
    if errors:
        raise BadInput("PACKAGE-MANIFEST", subject=statement.case.case_no, reason=errors[0][1])
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return data


def _package(said: Statement) -> Any:
    root = etree.Element(f"{{{NAMESPACE}}}package", {"version": "1"}, nsmap={None: NAMESPACE})
    _add(root, "packageFormat", FORMAT)
    _add(root, "packageType", "原始型" if said.filed is None else "修改型")
    _add(root, "created", said.created.isoformat())
    _add(root, "creator", said.creator)
    _add(root, "inputs", sha256=said.inputs_sha256)
    if said.filed is not None:
        _add(root, "previous", version=said.filed.version, sha256=said.filed.manifest_sha256)
    if said.signed.supplements:
        supplements = _add(root, "supplements")
        for supplement in said.signed.supplements:
            _supplement(supplements, supplement)
    _add(
        root,
        "seal",
        signer=said.signer,
        certificateSha256=said.certificate_sha256,
        timestamp="true" if said.timestamped else "false",
    )
    system = _add(root, "informationSystem")
    for name, version in said.programs.items():
        _add(system, "program", name=name, version=version)
    for font in said.fonts:
        _add(system, "font", **font)
    _case(root, said)
    originals = {staged.sha256: staged.entry.path for staged in reversed(said.files)}
    volumes = _add(root, "volumes")
    for volume in said.signed.volumes:
        _volume(volumes, volume, originals, _evidence(said.evidence))
    if said.refusals:
        refusals = _add(root, "refusals")
        for item in said.refusals:
            _add(refusals, "refusal", id=item.id, sha256=item.sha256)
    files = _add(root, "files")
    for staged in said.files:
        _file(files, staged)
    events = _add(root, "events")
    for event in said.events:
        _event(events, event)
    return root


def _case(root: Any, said: Statement) -> None:
    case = _add(root, "case")
    _add(case, "aggregationLevel", "案卷")
    _add(_add(case, "provenance"), "fondsConstitutingUnitName", said.creator)
    _add(case, "electronicRecordCode", said.object_id)
    code = _add(case, "archivalCode")
    _add(code, "code", said.archival_code)
    _add(code, "fondsIdentifier", said.fonds)
    _add(code, "year", f"{said.year:04d}")
    _add(code, "retentionPeriod", said.retention)
    content = _add(case, "contentDescription")
    _add(content, "title", said.case.title)
    _add(content, "party", said.case.party)
    _add(content, "caseNumber", said.case.case_no)
    _add(content, "author", said.creator)
    days = _days(said)
    _add(content, "date", **({"from": min(days).isoformat(), "to": max(days).isoformat()} if days else {}))
    _add(content, "securityClassification", _SECURITY[said.case.secrecy])
    placements = [p for volume in said.signed.volumes for p in volume.bound.placements]
    form = _add(case, "formalCharacteristics")
    _add(form, "totalItems", str(len(placements)))
    _add(form, "totalPages", str(sum(p.pages.last - p.pages.first + 1 for p in placements)))
    _add(form, "language", "汉语")
    for procedure in said.case.procedures:
        _add(case, "procedure", procedure)
    if said.row is not None:
        _register(case, said.row)


def _register(case: Any, row: RegisterRow) -> None:
    attributes = {"title": row.title, "status": row.status}
    if row.filed_on is not None:
        attributes["filedOn"] = row.filed_on.isoformat()
    if row.closed_on is not None:
        attributes["closedOn"] = row.closed_on.isoformat()
    _add(case, "register", **attributes)


def _days(said: Statement) -> list[dt.date]:
    days = [p.part.date for v in said.signed.volumes for p in v.bound.placements if p.part.date is not None]
    if said.row is not None:
        days += [day for day in (said.row.filed_on, said.row.closed_on) if day is not None]
    return days


def _supplement(parent: Any, supplement: Supplement) -> None:
    node = _add(
        parent,
        "supplement",
        version=supplement.version,
        date=supplement.on.isoformat(),
        reason=supplement.reason,
        items=" ".join(supplement.items),
    )
    for path, digest in supplement.former:
        _add(node, "former", path=path, sha256=digest)


def _evidence(items: Sequence[Evidence]) -> Mapping[str, Evidence]:
    """By the id of its part: a signed scan stands under the id of the document that it is a scan of."""
    return {**{one.stands_for: one for one in items if one.stands_for}, **{one.id: one for one in items}}


def _volume(
    parent: Any, volume: SignedVolume, originals: Mapping[str, str], evidence: Mapping[str, Evidence]
) -> None:
    node = _add(
        parent,
        "volume",
        kind=volume.bound.volume.value,
        book=str(volume.bound.book),
        books=str(volume.bound.books),
        archivalCode=volume.bound.archival_code,
        path=f"volumes/{volume.bound.name}.pdf",
        sha256=volume.sha256,
        sheets=str(volume.bound.sheets),
    )
    for placement in volume.bound.placements:
        _item(node, volume.bound.volume, placement, originals, evidence.get(placement.part.id))
    for signature in volume.signatures:
        _add(
            node,
            "signature",
            field=signature.field,
            role=signature.role.value,
            signer=signature.signer,
            certificateSha256=signature.certificate_sha256,
            level=signature.level,
            time=signature.signed_at.isoformat(),
        )


def _item(
    parent: Any,
    volume: Volume,
    placement: Placement,
    originals: Mapping[str, str],
    evidence: Evidence | None,
) -> None:
    part: Part = placement.part
    attributes = {"seq": str(placement.seq), "id": part.id, "type": part.type_id}
    if part.receipt_for:
        attributes["receiptFor"] = " ".join(part.receipt_for)
    if part.volume is not volume:
        attributes["internal"] = "true"
    item = _add(parent, "item", **attributes)
    _add(item, "title", part.title)
    if part.doc_no:
        _add(item, "documentNumber", part.doc_no)
    _add(item, "author", part.author)
    if part.date is not None:
        _add(item, "date", part.date.isoformat())
    pages = {
        "first": str(placement.pages.first),
        "last": str(placement.pages.last),
        "sheet": str(placement.first_sheet + 1),
        "sheets": str(part.pages),
    }
    if placement.blank:
        pages["blank"] = " ".join(map(str, placement.blank))
    if placement.before:
        pages["before"] = str(placement.before)
    _add(item, "pages", **pages)
    converted = {"sha256": part.listed_sha256, "route": part.route.value}
    if part.difference is not None:
        converted["difference"] = f"{part.difference:.4f}"
    _add(item, "part", **converted)
    original = {"sha256": part.original_sha256, "format": part.original_format or UNKNOWN}
    if part.original_sha256 in originals:
        original["path"] = originals[part.original_sha256]
    if evidence is not None:
        original |= {"puid": evidence.puid} if evidence.puid else {}
        original |= {"inside": _clipped(evidence.inside)} if evidence.inside else {}
    _add(item, "original", **original)
    if part.note:
        _add(item, "note", _clipped(part.note))
    for name, value in evidence.facts[:_FACTS] if evidence is not None else ():
        if name and value:
            _add(item, "fact", _clipped(value), name=_clipped(name))


def _file(parent: Any, staged: Staged) -> None:
    attributes = {
        "path": staged.entry.path,
        "size": str(staged.size),
        "sha256": staged.sha256,
        "sm3": staged.sm3,
        "mediaType": staged.entry.media_type,
        "role": staged.entry.role,
    }
    if staged.entry.received_as:
        attributes["receivedAs"] = staged.entry.received_as
    _add(parent, "file", **attributes)


def _event(parent: Any, event: Happened) -> None:
    node = _add(parent, "event", **({"document": event.document} if event.document else {}))
    _add(node, "businessStatus", "历史行为")
    _add(node, "businessActivity", event.activity)
    _add(node, "actionTime", event.at.isoformat())
    if event.description:
        _add(node, "actionDescription", event.description)


def _add(parent: Any, name: str, text: str = "", /, **attributes: str) -> Any:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    for key, value in attributes.items():
        node.set(key, clean(value))
    if text:
        node.text = clean(text)
    return node


def _clipped(text: str) -> str:
    """What comes from outside may be endless; the schema is not."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def clean(text: str) -> str:
    """XML has no place for control characters and half pairs; each shows as the mark for the unreadable."""
    return _NOT_XML.sub("\ufffd", text)
