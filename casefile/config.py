"""``casefile.toml``: the bureau's settings. Unknown keys are refused by name."""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from casefile.errors import BadInput
from casefile.model.finding import Finding
from casefile.model.terms import Role


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bureau(_Section):
    """The bureau itself: name, 机关代字, address, and where a decision can be challenged."""

    name: str = Field(min_length=2)
    short: str = Field(min_length=1)
    address: str
    contact: str
    phone: str
    government: str
    """复议机关, the government at the bureau's own level (行政复议法 2023 art. 24)."""
    court: str
    fonds_no: str = "0000"
    """全宗号."""

    @field_validator("*")
    @classmethod
    def _filled_in(cls, value: str) -> str:
        # What init writes into a new workspace must never reach a decision.
        if value.startswith("请填"):
            raise ValueError("还没有填写本局的信息")
        return value


class Register(_Section):
    """How the bureau's Excel names its columns: field of the register row to column heading."""

    sheet: str | None = None
    columns: dict[str, str] = {
        "case_no": "案号",
        "title": "案件名称",
        "procedure": "程序",
        "party": "当事人",
        "cause": "案由",
        "filed_on": "立案日期",
        "closed_on": "结案日期",
        "officers": "承办人",
        "unit": "承办机构",
        "status": "状态",
        "remark": "备注",
    }


class Fonts(_Section):
    """Further font folders, looked at first: a bureau's own licensed 仿宋 and 小标宋."""

    folders: list[Path] = []


class Binding(_Section):
    """Order, books and page numbers of a dossier."""

    profile: str = "A"
    page_number: Literal["top_right", "bottom_right", "bottom_center"] = "top_right"
    double_sided: bool = False
    """Whether it is printed on both sides: every item begins on a front, numbers on backs stand left."""
    pages_per_book: int | None = Field(default=None, ge=1)
    """A volume of more pages is bound as several books (分册). None, as nothing gets too thick to open on a
    screen; an office that prints its dossiers sets what a binder holds, 200 by custom.
    """
    bytes_per_book: int | None = Field(default=2_000_000_000, ge=1_000_000)
    """The same for size: many readers count places in a file with 31 bits and fail beyond 2 GiB."""
    retention: Literal["永久", "30年", "10年"] = "永久"
    volume_suffix: dict[Literal["main", "internal"], str] = {"main": "", "internal": "F"}
    """What stands behind the archival code of a volume; both volumes share the file number."""


class Signer(_Section):
    """One who signs: a PKCS#12 file and the file or environment variable that holds its passphrase."""

    role: Role
    name: str
    pkcs12: Path
    passphrase_file: Path | None = None
    passphrase_env: str | None = None
    level: Literal["B-B", "B-T", "B-LT", "B-LTA"] = "B-LT"


class Signing(_Section):
    """Signers in the order in which they sign, and whom to trust."""

    signers: list[Signer] = []
    trust_roots: list[Path] = []
    timestamp_url: str | None = None
    seal: Path | None = None
    documents: bool = True
    """Whether documents that bear the bureau's seal are signed one by one when they are issued."""
    reason: str = "案卷归档"


class Calendar(_Section):
    """The bureau's own days off and make-up working days, before a release knows them.

    ``years`` are those of which the two lists are complete; a deadline in an unknown year is 暂定.
    """

    days_off: list[dt.date] = []
    worked: list[dt.date] = []
    years: list[int] = []


class Thresholds(_Section):
    """What the province calls a large sum (较大数额), in yuan; unset until the legal office gave it.

    自然资源行政处罚办法 art. 34 leaves the amount to the province.
    """

    hearing_fine_person: Decimal | None = None
    hearing_fine_organisation: Decimal | None = None
    hearing_confiscation: Decimal | None = None


class Gather(_Section):
    """How evidence is taken in. ``ocr``: whether scans are read; ``auto``: where the extra is installed."""

    ocr: Literal["auto", "on", "off"] = "auto"


class Limits(_Section):
    """What is too much. Sizes in bytes, times in seconds, counts in pieces."""

    evidence_bytes: int = 2_000_000_000
    archive_members: int = 2_000
    archive_depth: int = 3
    """Archives in archives that are still opened; one that lies in the inbox is the first."""
    unpacked_bytes: int = 1_000_000_000
    pages_per_part: int = 10_000
    seconds_per_part: int = 180
    memory_per_part: int = 4_000_000_000
    render_seconds: int = 120
    ocr_seconds_per_page: int = 60
    ocr_seconds_per_part: int = 1200
    field_characters: int = 20_000


class Config(_Section):
    """Everything in ``casefile.toml``."""

    bureau: Bureau
    register_: Register = Field(default_factory=Register, alias="register")
    fonts: Fonts = Fonts()
    binding: Binding = Binding()
    signing: Signing = Signing()
    calendar: Calendar = Calendar()
    thresholds: Thresholds = Thresholds()
    limits: Limits = Limits()
    gather: Gather = Gather()


def load(path: Path) -> Config:
    """Read and check the settings.

    Raises:
        BadInput: CONFIG-MISSING, CONFIG-TOML or CONFIG-FIELD (with one finding a wrong key).
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput("CONFIG-MISSING", subject=path.name, folder=path.parent) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("CONFIG-TOML", subject=path.name, reason=error) from None
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        findings = [
            Finding(
                "CONFIG-FIELD",
                subject=f"{path.name}: {'.'.join(map(str, e['loc']))}",
                params={
                    "field": ".".join(map(str, e["loc"])),
                    "reason": e["msg"].removeprefix("Value error, "),
                },
            )
            for e in error.errors()
        ]
        raise BadInput(
            "CONFIG-FIELD", subject=findings[0].subject, findings=findings, **findings[0].params
        ) from None
