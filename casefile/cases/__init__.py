"""Case folders and case.yaml: from a file that a clerk fills in to a checked :class:`Case`."""

from casefile.cases.folder import create, folders, stray_folders
from casefile.cases.reading import read
from casefile.cases.skeleton import skeleton

__all__ = ["create", "folders", "read", "skeleton", "stray_folders"]
