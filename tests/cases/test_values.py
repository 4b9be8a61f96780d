"""What people type → values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from casefile.cases import values
from casefile.formats import written
from casefile.model.catalogue import Field


def parse(kind: str, text: str, **more: object) -> object:
    return values.parser(Field("x", "某", kind, **more), 100)(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05",
        "2026-3-5",
        "2026/3/5",
        "2026.3.5",
        "2026年3月5日",
        " 2026 年 3 月 5 日",
        "２０２６－３－５",
    ],
)
def test_date_in_every_common_writing(text: str) -> None:
    assert parse("date", text) == dt.date(2026, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-13-01",
        "26-3-5",
        "2026年3月",
        "3月5日",
        "2026-03/05",
        "0026-03-05",
        "2026-03-05x",
        "昨天",
    ],
)
def test_no_date(text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse("date", text)
    assert caught.value.type == "FIELD-WRONG"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05 14:30",
        "2026-03-05T14:30:00",
        "2026年3月5日14时30分",
        "2026年3月5日 14:30",
        "2026/3/5 14时30分0秒",
    ],
)
def test_datetime(text: str) -> None:
    assert parse("datetime", text) == dt.datetime(2026, 3, 5, 14, 30)


@pytest.mark.parametrize("text", ["2026-03-05", "2026-03-05 25:00", "2026-03-05 14:60", "2026-03-0514:30"])
def test_no_datetime(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        parse("datetime", text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12345", "12345.00"),
        ("12,345.6", "12345.60"),
        ("¥12345元", "12345.00"),
        ("￥１２", "12.00"),
        ("1.5万元", "15000.00"),
    ],
)
def test_money(text: str, amount: str) -> None:
    assert str(parse("money", text)) == amount


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("money", "-5", "FIELD-NEGATIVE"),
        ("money", "1.234", "FIELD-WRONG"),
        ("money", "1,23", "FIELD-WRONG"),
        ("money", "一万元", "FIELD-WRONG"),
        ("money", "1e5", "FIELD-WRONG"),
        ("money", "NaN", "FIELD-WRONG"),
        ("money", "1" * 30, "FIELD-WRONG"),
        ("area", "3亩", "FIELD-WRONG"),
        ("area", "-1", "FIELD-NEGATIVE"),
        ("int", "1.5", "FIELD-WRONG"),
        ("bool", "也许", "FIELD-WRONG"),
        ("phone", "12", "FIELD-WRONG"),
        ("laws", "土地管理法第七十七条", "FIELD-LAW"),
        ("laws", "《土地管理法》", "FIELD-LAW"),
        ("laws", "《土地管理法》第七十七条" + "第一" * 40, "FIELD-LAW"),
        ("str", "两\n行", "FIELD-LINES"),
        ("str", "x" * 101, "FIELD-LONG"),
        ("str", "张\u202e三", "FIELD-CHARACTER"),
        ("str", "张\ud800三", "FIELD-CHARACTER"),
        ("str", "张\x00三", "FIELD-CHARACTER"),
    ],
)
def test_wrong(kind: str, text: str, code: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse(kind, text)
    assert caught.value.type == code


@pytest.mark.parametrize(
    "text",
    [
        "《中华人民共和国土地管理法》第七十七条第一款",
        "《中华人民共和国行政处罚法》第三十三条第一款、第二款",
        "《某条例》（2021年修订）第五十七条第一款第（二）项",
        "《某条例》第十七条之一第一、二项",
        "《某条例》第12条第（一）、（三）项",
        "《某条例》第五条和第六条",
    ],
)
def test_law(text: str) -> None:
    assert parse("laws", text) == text


@pytest.mark.parametrize(
    "text", ["13800000000", "0916-1234567", "0000-1234567", "(0916)1234567", "12345", "0916-1234567-801"]
)
def test_phone(text: str) -> None:
    assert parse("phone", text) == text


def test_area_takes_square_metres_by_any_sign() -> None:
    assert parse("area", "1,234.56㎡") == parse("area", "1234.56平方米") == Decimal("1234.56")


@given(st.integers(0, 9), st.integers(0, 17))
def test_any_other_digit_breaks_an_identity_number(digit: int, place: int) -> None:
    good = "999901199001010010"
    assert values.identity_number(good, "", 100) == good
    changed = good[:place] + str(digit) + good[place + 1 :]
    if changed != good:
        with pytest.raises(PydanticCustomError) as caught:
            values.identity_number(changed, "居民身份证", 100)
        assert changed not in str(caught.value.context)


def test_other_cards_have_no_check_digit() -> None:
    assert values.identity_number("e12345678", "护照", 100) == "E12345678"


@given(st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)))
def test_dates_read_back(day: dt.date) -> None:
    assert written.date(day.isoformat()) == day
    assert written.date(f"{day.year}年{day.month}月{day.day}日") == day
    assert written.eight_digits(f"{day:%Y%m%d}") == day


@given(st.decimals(0, 10**12, places=2))
def test_money_reads_back(amount: Decimal) -> None:
    assert written.money(f"{amount:,}") == amount == written.money(f"{amount}元")


@given(st.text(alphabet="0123456789.,-+元万¥年月日时分: T/（）一第条款项《》", max_size=40))
def test_hostile_typing_never_breaks_the_parsers(text: str) -> None:
    for read in (written.date, written.moment, written.money, written.number):
        read(text)
