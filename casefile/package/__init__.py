"""Package and store: a signed dossier with all that belongs to it, sealed and archived (封装归档)."""

from casefile.package.archive import holds, is_recorded, record, store, stored
from casefile.package.contents import archived_originals, number_of
from casefile.package.court import CourtFile, court_copy
from casefile.package.filed import filed
from casefile.package.manifest import clean
from casefile.package.staging import object_id, package
from casefile.package.transfer import export

__all__ = [
    "CourtFile", "archived_originals", "clean", "court_copy", "export", "filed", "holds",
    "is_recorded", "number_of", "object_id", "package", "record", "store", "stored",
]  # fmt: skip
