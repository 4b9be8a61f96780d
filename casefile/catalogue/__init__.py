"""The catalogue of documents (文书目录), read from ``templates/``: types, procedures, profiles."""

from casefile.catalogue.read import load, read
from casefile.catalogue.samples import sample
from casefile.model.catalogue import Catalogue

__all__ = ["Catalogue", "load", "read", "sample"]
