"""``inbox/evidence.yaml``: what the clerk says of each file (证据清单), optional."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from casefile.formats import written, yaml
from casefile.model.document import Recording
from casefile.model.finding import Finding
from casefile.model.terms import EvidenceKind, Volume

T = TypeVar("T")

NAME = "evidence.yaml"
_KEYS = (
    "file", "title", "kind", "type", "source", "collected_by", "collected_at", "place", "proves", "volume",
    "password", "note", "document",
    "av_no", "started_at", "ended_at", "interrupted", "interruption", "device", "recorded_by",
)  # fmt: skip
_KINDS = {word: kind for kind in EvidenceKind for word in (kind.value, kind.zh)} | {
    "当事人陈述": EvidenceKind.STATEMENT,
    "勘验笔录": EvidenceKind.INSPECTION,
    "现场笔录": EvidenceKind.INSPECTION,
    "现场照片": EvidenceKind.INSPECTION,
}
_VOLUMES = {word: volume for volume in Volume for word in (volume.value, volume.zh)}
_YES_OR_NO = {"是": True, "否": False, "有": True, "无": False, "true": True, "false": False} | {
    "yes": True, "no": False, "True": True, "False": False,
}  # fmt: skip
_NOTHING = frozenset({"无", "没有", "否", "无中断", "未中断", "没有中断"})
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry; ``file`` is in NFC with ``/`` between folders. The password is for opening only.

    ``volume`` is None where the entry says nothing of it.
    """

    file: str
    line: int
    title: str = ""
    kind: EvidenceKind | None = None
    type_id: str = "evidence"
    source: str = ""
    collected_by: str = ""
    collected_at: str = ""
    place: str = ""
    proves: str = ""
    volume: Volume | None = None
    password: str = field(default="", repr=False)
    note: str = ""
    document: str = ""
    recording: Recording = field(default_factory=Recording)


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries in their order, and what was wrong with others."""

    entries: tuple[Listed, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(path: Path, case_no: str, types: Mapping[str, str]) -> Listing:
    """Read the list; ``types`` gives the id of every document type by its id, name and aliases.

    Raises:
        BadInput: when the file is not YAML at all.
    """
    root, _ = yaml.read(path, f"inbox/{NAME}")
    return _Reader(case_no, types).listing(root)


class _Reader:
    def __init__(self, case_no: str, types: Mapping[str, str]) -> None:
        self.case_no = case_no
        self.types = types
        self.findings: list[Finding] = []

    def complain(self, code: str, line: int, **params: str) -> None:
        self.findings.append(
            Finding(code, f"inbox/{NAME} 第{line}行", self.case_no, {"line": str(line), **params})
        )

    def listing(self, root: yaml.Node) -> Listing:
        items: Iterable[yaml.Node] = ()
        if not isinstance(root, yaml.Table):
            self.complain("EVIDENCE-LIST-SHAPE", root.line)
        else:
            for key, entry in root.entries.items():
                if key != "items":
                    self.complain("EVIDENCE-LIST-KEY", entry.line, key=key[:60])
                elif isinstance(entry.value, yaml.Listing):
                    items = entry.value.items
                elif not (isinstance(entry.value, yaml.Leaf) and not entry.value.text):
                    self.complain("EVIDENCE-LIST-SHAPE", entry.line)
        found: dict[str, Listed] = {}
        for item in items:
            listed = self.item(item)
            if listed is None:
                continue
            if listed.file in found:
                self.complain("EVIDENCE-LIST-TWICE", listed.line, file=listed.file)
                continue
            found[listed.file] = listed
        return Listing(tuple(found.values()), tuple(self.findings))

    def item(self, item: yaml.Node) -> Listed | None:
        if not isinstance(item, yaml.Table):
            self.complain("EVIDENCE-LIST-SHAPE", item.line)
            return None
        texts = {}
        lines = {}
        for key, entry in item.entries.items():
            if key not in _KEYS:
                self.complain("EVIDENCE-LIST-KEY", entry.line, key=key[:60])
            elif not isinstance(entry.value, yaml.Leaf) or len(entry.value.text) > _LONGEST:
                self.complain("EVIDENCE-LIST-VALUE", entry.line, key=key, allowed=f"不超过{_LONGEST}字的文字")
            else:
                texts[key], lines[key] = entry.value.text.strip(), entry.line
        name = unicodedata.normalize("NFC", texts.pop("file", "")).removeprefix("./")
        if not name:
            self.complain("EVIDENCE-LIST-NO-FILE", item.line)
            return None
        if unsafe(name):
            self.complain("EVIDENCE-PATH", lines["file"], file=shown(name))
            return None
        kind = self.word(texts, lines, "kind", _KINDS)
        volume = self.word(texts, lines, "volume", _VOLUMES)
        type_id = self.word(texts, lines, "type", self.types)
        return Listed(
            file=name,
            line=item.line,
            kind=kind,
            volume=volume,
            type_id=type_id or "evidence",
            recording=self.recording(texts, lines),
            **texts,
        )

    def recording(self, texts: dict[str, str], lines: dict[str, int]) -> Recording:
        interruption = texts.pop("interruption", "")
        return Recording(
            number=texts.pop("av_no", ""),
            started_at=self.moment(texts, lines, "started_at"),
            ended_at=self.moment(texts, lines, "ended_at"),
            interrupted=self.word(texts, lines, "interrupted", _YES_OR_NO),
            interruption="" if interruption.strip("。.") in _NOTHING else interruption,
            device=texts.pop("device", ""),
            recorded_by=texts.pop("recorded_by", ""),
        )

    def moment(self, texts: dict[str, str], lines: dict[str, int], key: str) -> dt.datetime | None:
        text = texts.pop(key, "")
        at = written.moment(text)
        if text and at is None:
            self.complain(
                "EVIDENCE-LIST-VALUE", lines[key], key=key, allowed="年月日和时分，如 2026-03-05 14:30"
            )
        return at

    def word(
        self, texts: dict[str, str], lines: dict[str, int], key: str, known: Mapping[str, T]
    ) -> T | None:
        text = texts.pop(key, "")
        if text and text not in known:
            words = [word for word in known if not word.isascii()]
            allowed = "、".join(words[:12]) + ("……" if len(words) > 12 else "")
            self.complain("EVIDENCE-LIST-VALUE", lines[key], key=key, allowed=allowed)
        return known.get(text)


def unsafe(name: str) -> bool:
    """True for a path that leaves the inbox or could on another system."""
    steps = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\", "~")) or ".." in steps or (len(name) > 1 and name[1] == ":")


def shown(name: str) -> str:
    """A name as it may be printed: control and direction characters made visible, not too long."""
    clean = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in name)
    return clean if len(clean) <= 120 else f"{clean[:80]}…{clean[-30:]}"
