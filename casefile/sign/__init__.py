"""A bound dossier becomes a signed one (签章): who signs, in which order, and proof that it holds."""

from casefile.sign.documents import sealed
from casefile.sign.dossier import sign

__all__ = ["sealed", "sign"]
