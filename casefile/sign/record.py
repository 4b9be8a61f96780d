"""What was signed, kept beside the signed file, so that a second run finds it and asks nobody again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from casefile.context import write_whole
from casefile.model.dossier import AppliedSignature, BoundVolume, SignedVolume
from casefile.model.terms import Role
from casefile.sign.signers import Turn

_NAME = "signatures.json"
_ROLES = {role.value: role for role in Role}


def write(folder: Path, signed: SignedVolume, plan: Sequence[Turn]) -> None:
    """Write the record. It is written last: a folder without it is not a result."""
    data = {
        "bound_sha256": signed.bound.sha256,
        "file": signed.pdf.name,
        "signed_sha256": signed.sha256,
        "plan": _plan(plan),
        "signatures": [
            {
                "field": made.field,
                "role": made.role.value,
                "signer": made.signer,
                "certificate_sha256": made.certificate_sha256,
                "level": made.level,
                "signed_at": made.signed_at.isoformat(),
            }
            for made in signed.signatures
        ],
    }
    write_whole(folder / _NAME, json.dumps(data, ensure_ascii=False, indent=1).encode())


def read(folder: Path, bound: BoundVolume, plan: Sequence[Turn]) -> SignedVolume | None:
    """The complete result of an earlier run, if the same signers signed the same bytes."""
    try:
        data: dict[str, Any] = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        pdf = folder / Path(data["file"]).name
        if data["bound_sha256"] != bound.sha256 or data["plan"] != _plan(plan):
            return None
        if sha256(pdf) != data["signed_sha256"]:
            return None
        made = tuple(
            AppliedSignature(
                entry["field"],
                _ROLES[entry["role"]],
                entry["signer"],
                entry["certificate_sha256"],
                entry["level"],
                dt.datetime.fromisoformat(entry["signed_at"]),
            )
            for entry in data["signatures"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return SignedVolume(bound, pdf, data["signed_sha256"], made)


def sha256(path: Path) -> str:
    """Digest of a file, in hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _plan(plan: Sequence[Turn]) -> list[list[str]]:
    return [[turn.box.name, turn.signer.role.value, turn.signer.name, turn.level] for turn in plan]
