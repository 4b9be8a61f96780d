"""The OCFL object and its storage root, by ocfl-py's validator; digests are fixity's work."""

from __future__ import annotations

from casefile.formats.containers import ocfl
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify.subject import Complaints, Subject


def check(subject: Subject) -> Complaints:
    """Name what breaks the specification, and an object that is called something else."""
    if not subject.stored:
        return
    try:
        # Missing and extra files are named by fixity, one by one and by the names that people know.
        for message in ocfl.complaints(subject.folder, digests=False):
            if not message.startswith(("[E092b]", "[E023a]", "[E093b]")):
                yield Finding("VERIFY-OCFL", ocfl.INVENTORY, subject.case_no, {"reason": message})
    except OSError as error:
        yield NotLookedAt(ocfl.INVENTORY, f"VERIFY-UNSEEN-READ {error.strerror}")
    if subject.inventory is None:
        return
    if subject.object_id and subject.inventory.id != subject.object_id:
        yield Finding(
            "VERIFY-OTHER-CASE",
            ocfl.INVENTORY,
            subject.case_no,
            {"found": subject.inventory.id, "wanted": subject.object_id},
        )
    manifest = subject.manifest
    if manifest is not None and manifest.object_id != subject.inventory.id:
        yield Finding(
            "VERIFY-OTHER-CASE",
            "manifest.xml",
            subject.case_no,
            {"found": manifest.object_id, "wanted": subject.inventory.id},
        )
