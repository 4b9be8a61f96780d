"""The shape of the catalogue's TOML files. A wrong key is refused by name."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from casefile.errors import BadInput
from casefile.model import catalogue as model
from casefile.model.finding import Finding
from casefile.model.terms import Need, Service, Volume

Kind = Literal[
    "str", "text", "date", "datetime", "int", "number", "money", "area", "bool", "choice", "list", "laws",
    "officers", "people", "signature", "seal", "id_no", "uscc", "phone", "rows", "record",
]  # fmt: skip

_NAME = r"^[a-z][a-z0-9_]*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldEntry(_Strict):
    """One field as it stands in a file."""

    name: str = Field(pattern=_NAME)
    zh: str = Field(min_length=1)
    kind: Kind
    need: Need = Need.REQUIRED
    when: dict[str, list[str]] = {}
    choices: list[str] = []
    columns: list[FieldEntry] = []
    at_least: int = Field(default=0, ge=0)
    default: str | None = None
    source: str | None = None
    hint: str = ""
    by_hand: bool = False

    @model_validator(mode="after")
    def _whole(self) -> FieldEntry:
        if (self.need is Need.WHEN) != bool(self.when):
            raise ValueError('need = "when" 与 when 必须同时写')
        if self.kind == "choice" and not self.choices:
            raise ValueError("choice 必须写 choices")
        if (self.kind in ("rows", "record")) != bool(self.columns):
            raise ValueError("rows、record 必须写 columns，其他不写")
        if self.default is not None and self.choices and self.default not in self.choices:
            raise ValueError("default 不在 choices 之中")
        if len({c.name for c in self.columns}) != len(self.columns):
            raise ValueError("columns 中有同名的列")
        return self

    def field(self) -> model.Field:
        """The noun."""
        return model.Field(
            name=self.name,
            zh=self.zh,
            kind=self.kind,
            need=self.need,
            when={name: tuple(values) for name, values in self.when.items()} or None,
            choices=tuple(self.choices),
            columns=tuple(c.field() for c in self.columns),
            at_least=self.at_least,
            default=self.default,
            source=self.source,
            hint=self.hint,
            by_hand=self.by_hand or self.kind == "signature",
        )


class GroupEntry(_Strict):
    """Fields that stand together."""

    zh: str
    fields: list[FieldEntry] = Field(min_length=1)


class SharedFile(_Strict):
    """``shared.toml``: groups of the case, and blocks of fields that each document has for itself.

    The folder of a procedure may have one of its own; ``sample`` holds sample values of the facts.
    """

    groups: dict[str, GroupEntry] = {}
    blocks: dict[str, GroupEntry] = {}
    sample: dict[str, Any] = {}


class BasisEntry(_Strict):
    """A statute and article. ``checked`` is False where the text was not at hand (待核)."""

    text: str
    checked: bool


class TypeFile(_Strict):
    """``<id>.toml``: one document type.

    ``layout`` is read when the blank form is drawn, ``sample`` when it is shown filled in.
    """

    id: str = Field(pattern=_NAME)
    name: str
    aliases: list[str] = []
    procedures: list[str]
    stage: Literal["启动", "取证", "审决", "送执", "归档"]
    signers: list[str] = []
    service: Service
    volume: Volume | Literal[""]
    need: Need
    condition: str = ""
    date_field: str = ""
    person_field: str = ""
    approves: list[str] = []
    number_word: str = ""
    number_pattern: str = "{short}{word}〔{year}〕{seq}号"
    repeatable: bool = False
    made: Literal["bureau", "outside", "binding"] = "bureau"
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    order: list[list[str]] = []
    basis: list[BasisEntry] = []
    groups: list[str] = []
    shared: list[str] = []
    blocks: list[str] = []
    fields: list[FieldEntry] = []
    layout: dict[str, Any] = {}
    sample: dict[str, Any] = {}

    @model_validator(mode="after")
    def _whole(self) -> TypeFile:
        if self.made == "bureau" and bool(self.fields or self.groups) != bool(self.layout):
            raise ValueError("有字段的文书须写 layout，有 layout 的须写字段")
        if self.made != "bureau" and self.layout:
            raise ValueError("外来件和装订件不写 layout")
        if "{seq}" not in self.number_pattern:
            raise ValueError("number_pattern 须含 {seq}")
        return self


class EdgeEntry(_Strict):
    """One rule of order between two acts."""

    before: str
    after: str
    same_day: bool = True
    basis: BasisEntry


class OrderFile(_Strict):
    """``order.toml``: which act must not come before which."""

    edges: list[EdgeEntry] = []


class ProcedureFile(_Strict):
    """``procedure.toml``: what a procedure needs and offers."""

    id: str = Field(pattern=_NAME)
    zh: str
    required: list[str]
    conditional: dict[str, str] = {}
    documents: list[str]
    usual: list[str] = []


class OrderEntry(_Strict):
    """Order of the two volumes."""

    main: list[str]
    internal: list[str]


class ProfileFile(_Strict):
    """``profiles/<id>.toml``: the order of parts in a dossier."""

    id: str
    zh: str
    one_volume: bool = False
    order: OrderEntry


FileT = TypeVar("FileT", bound=BaseModel)


def parse(path: Path, shown: str, shape: type[FileT]) -> FileT:
    """Read one file into its shape.

    Raises:
        BadInput: CATALOGUE-TOML, or CATALOGUE-FIELD with one finding a wrong key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("CATALOGUE-TOML", subject=shown, reason=error) from None
    try:
        return shape.model_validate(table)
    except ValidationError as error:
        findings = [
            Finding("CATALOGUE-FIELD", subject=shown, params=params)
            for params in ({"key": _place(e["loc"], table), "reason": _reason(e)} for e in error.errors())
        ]
        raise BadInput("CATALOGUE-FIELD", subject=shown, findings=findings, **findings[0].params) from None


def _reason(error: ErrorDetails) -> str:
    """Pydantic's complaint in Chinese, for the kinds that a hand at the file really makes."""
    expected = error.get("ctx", {}).get("expected", "")
    match error["type"]:
        case "missing":
            return "缺少"
        case "extra_forbidden":
            return "没有这个键"
        case "literal_error" | "enum":
            return f"应为 {expected} 之一".replace(" or ", "、")
        case "value_error":
            return str(error["ctx"]["error"])
        case "string_type" | "list_type" | "dict_type" | "bool_type" | "int_type":
            return f"类型不对：{error['msg']}"
    return error["msg"]


def _place(location: tuple[int | str, ...], table: Any) -> str:
    return ".".join(_steps(location, table)) or "."


def _steps(location: tuple[int | str, ...], here: Any) -> Iterator[str]:
    # A field is found by its name, not by its position in the list.
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        name = here.get("name") if isinstance(step, int) and isinstance(here, dict) else None
        yield str(name or step)
