"""Package and store: a signed dossier with all that belongs to it, sealed and archived (封装归档)."""

from casefile.package.archive import holds, record, store, stored
from casefile.package.staging import object_id, package
from casefile.package.transfer import export

__all__ = ["export", "holds", "object_id", "package", "record", "store", "stored"]
