"""The bureau's own list of cases (执法台账): from Excel or CSV into the database, and back."""

from casefile.register.exporting import export
from casefile.register.importing import import_file
from casefile.register.store import row, rows

__all__ = ["export", "import_file", "row", "rows"]
