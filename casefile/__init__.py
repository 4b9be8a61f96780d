"""One enforcement case in, one provable dossier out."""

__version__ = "0.1.0"
