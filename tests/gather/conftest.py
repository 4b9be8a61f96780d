"""Cases with an inbox, and files to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gather_files import CASE_NO
from PIL import Image, ImageDraw

from casefile import gather as stage
from casefile.config import Limits
from casefile.context import Context
from casefile.formats.typst import Typesetter
from casefile.gather import Gathered
from casefile.gather.workers import Workers
from casefile.model.case import Case


@pytest.fixture(scope="session")
def kept() -> Iterator[dict[str, Any]]:
    """Workers and fonts for the whole run: starting them costs more than most tests."""
    things = {"gather.workers": Workers(Limits()), "typesetter": Typesetter()}
    yield things
    for thing in things.values():
        thing.close()


@pytest.fixture(autouse=True)
def _lent(context: Context, kept: dict[str, Any]) -> None:
    for name, thing in kept.items():
        context.lend(name, thing)


@pytest.fixture
def inbox(context: Context) -> Path:
    """An empty inbox."""
    folder = context.workspace.case(CASE_NO).inbox
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def gather(context: Context) -> Callable[[], Gathered]:
    """Run the stage."""
    folder = context.workspace.case(CASE_NO).root
    case = Case(CASE_NO, ("general_penalty",), "某案", "某公司", folder, {}, (), "0" * 64)
    return lambda: stage.gather(case, context)


@pytest.fixture
def photo() -> Image.Image:
    """A picture whose upper left corner is red."""
    image = Image.new("RGB", (640, 480), (90, 140, 90))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 160, 120), fill=(220, 0, 0))
    draw.ellipse((300, 200, 500, 400), fill=(250, 250, 250))
    return image
