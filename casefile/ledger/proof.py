"""Proofs that leave the house: everything an outsider needs to see that an entry stands in the log.

A proof is a plain dictionary (JSON). :func:`complaints` judges one with nothing but itself; what it can't
judge is whether the root is the one that was published or timestamped, which is why the root stands in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from casefile import database
from casefile.context import Context
from casefile.database import LedgerCheckpoint, LedgerEntry, LedgerSalt
from casefile.ledger import log, merkle

FORMAT = "urn:casefile:ledger-proof:1"


def prove(case_no: str, context: Context) -> dict[str, Any]:
    """Every entry of a case with its path to the present root, and every checkpoint with its own.

    ``entries`` is empty for a case that the log doesn't know.
    """
    with database.session(context) as session:
        nodes = log.stored_nodes(session)
        head = log.head_of(session)
        entries = []
        wanted = select(LedgerEntry).where(LedgerEntry.case_no == case_no).order_by(LedgerEntry.seq)
        for entry in session.scalars(wanted):
            salt = session.get(LedgerSalt, entry.seq)
            entries.append(
                {
                    "seq": entry.seq,
                    "body": log.raw(entry.body).decode(errors="replace"),
                    "salt": None if salt is None else salt.salt.hex(),
                    "path": [step.hex() for step in merkle.inclusion(entry.seq - 1, head.size, nodes)],
                }
            )
        checkpoints = [
            {
                "size": point.size,
                "root": point.root.hex(),
                "at": point.at,
                "token": None if point.token is None else base64.b64encode(point.token).decode(),
                "path": [step.hex() for step in merkle.consistency(point.size, head.size, nodes)],
            }
            for point in session.scalars(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size))
            if 0 < point.size <= head.size
        ]
        return {
            "format": FORMAT,
            "case_no": case_no,
            "size": head.size,
            "root": head.root.hex(),
            "entries": entries,
            "checkpoints": checkpoints,
        }


def complaints(proof: Mapping[str, Any]) -> list[str]:
    """What is wrong with a proof, by code: LEDGER-PROOF-ENTRY, -CASE, -CHECKPOINT or -SHAPE; none is good."""
    try:
        return _complaints(proof)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ["LEDGER-PROOF-SHAPE"]


def _complaints(proof: Mapping[str, Any]) -> list[str]:
    found = []
    size, root = int(proof["size"]), bytes.fromhex(proof["root"])
    for entry in proof["entries"]:
        body = entry["body"].encode()
        said = json.loads(body)
        path = [bytes.fromhex(step) for step in entry["path"]]
        in_tree = merkle.includes(merkle.leaf_hash(body), entry["seq"] - 1, size, path, root)
        if not in_tree or said["seq"] != entry["seq"]:
            found.append("LEDGER-PROOF-ENTRY")
        if entry["salt"] is not None:
            linked = log.commitment(bytes.fromhex(entry["salt"]), proof["case_no"])
            if linked != said["commitment"]:
                found.append("LEDGER-PROOF-CASE")
    for point in proof["checkpoints"]:
        path = [bytes.fromhex(step) for step in point["path"]]
        if not merkle.extends(point["size"], bytes.fromhex(point["root"]), size, root, path):
            found.append("LEDGER-PROOF-CHECKPOINT")
    return found
