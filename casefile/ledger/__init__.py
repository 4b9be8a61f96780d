"""The append-only Merkle log (存证台账) after RFC 6962: what was done to which object, provably in order.

The log protects only what is older than its last anchor: whoever owns the database can rewrite younger
entries unseen. Anchor often.
"""

from casefile.ledger.audit import TokenChecker, check
from casefile.ledger.log import PACKAGE, Checkpoint, Head, LedgerFact, anchor, append, head, last
from casefile.ledger.proof import complaints, prove

__all__ = [
    "PACKAGE",
    "Checkpoint",
    "Head",
    "LedgerFact",
    "TokenChecker",
    "anchor",
    "append",
    "check",
    "complaints",
    "head",
    "last",
    "prove",
]
