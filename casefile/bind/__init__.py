"""Parts into a bound dossier (装订): order, numbers, cover, catalogue, remark sheet; one PDF/A-3b each."""

from casefile.bind.bind import Onto, bind, lay_out

__all__ = ["Onto", "bind", "lay_out"]
