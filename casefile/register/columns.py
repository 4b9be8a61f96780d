"""What the columns of a register mean, and the words that clerks use for procedures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from casefile.config import Config, Register
from casefile.errors import BadInput

REQUIRED = ("case_no", "title", "procedure", "party")
"""Fields without which a row is no case."""

DATES = ("filed_on", "closed_on")

FIELDS = tuple(Register().columns)
"""Every field of a row that a register may hold, in the order of an export."""

PROCEDURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "general_penalty": (
            "普通程序",
            "一般程序",
            "普通",
            "一般",
            "行政处罚普通程序",
            "行政处罚一般程序",
            "行政处罚（普通程序）",
            "行政处罚（一般程序）",
        ),
        "summary_penalty": (
            "简易程序",
            "简易",
            "当场处罚",
            "行政处罚简易程序",
            "行政处罚（简易程序）",
        ),
        "hearing": ("听证程序", "听证", "行政处罚听证程序"),
        "licence": ("行政许可", "许可", "行政许可程序"),
        "coercive_measure": ("行政强制措施", "强制措施"),
        "coercive_execution": ("行政强制执行", "强制执行"),
        "inspection": ("行政检查", "检查", "执法检查"),
        "expropriation": ("行政征收", "征收", "征收补偿", "土地征收"),
        "fee": ("行政收费", "收费", "行政事业性收费", "规费征收"),
    }
)
"""Procedure id → its words in a register; an export writes the first."""

_MARKS = re.compile(r"\s+|\*|\((?:必填|选填)\)")


def headings(config: Config) -> dict[str, str]:
    """Field → column heading: the bureau's own names over the usual ones.

    Raises:
        BadInput: REG-COLUMN-SETTING, when the settings name a field that there isn't.
    """
    for field in config.register_.columns:
        if field not in FIELDS:
            raise BadInput("REG-COLUMN-SETTING", subject=field, known="、".join(FIELDS))
    return {**Register().columns, **config.register_.columns}


def plain_heading(text: str) -> str:
    """A heading as it is compared: ``案 号*（必填）`` is ``案号``."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def procedure_id(word: str) -> str | None:
    """The procedure that a word means, or None."""
    plain = plain_heading(word)
    for procedure, words in PROCEDURES.items():
        if plain == procedure or plain in {plain_heading(w) for w in words}:
            return procedure
    return None


def procedure_word(procedure: str) -> str:
    """The word for a procedure in an export."""
    return PROCEDURES[procedure][0] if procedure in PROCEDURES else procedure
