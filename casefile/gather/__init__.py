"""Inbox to evidence and parts: every file is recognised, checked for secrecy and made into PDF/A pages."""

from casefile.gather.stage import Gathered, gather, is_incomplete, is_unsafe, normalise

__all__ = ["Gathered", "gather", "is_incomplete", "is_unsafe", "normalise"]
