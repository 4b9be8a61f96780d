"""Reading the text off a picture of a page, by RapidOCR with the models that come in its wheel.

Optional (extra ``ocr``). Nothing is fetched and nothing is written: every model is given by its path, and
one that is missing is an error. One thread and one line at a time, so that the same picture gives the same
text whatever else the machine does and whatever else stands on the page.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from casefile.errors import MissingTool
from casefile.model.text import Line

DPI = 200
LONGEST = 3400
"""How a page is drawn to be read: the longest side, in pixels, is that of A3 at :data:`DPI`."""

SURE = 0.6
"""Least mean probability of its characters at which a line counts as read. Printed lines get 0.9 and more,
handwriting that comes out wrong and pieces of photographs mostly below."""

_PACKAGES = ("rapidocr", "onnxruntime")
_MODELS = {"Det": "*_det_*.onnx", "Rec": "*_rec_*.onnx", "Cls": "*_cls_*.onnx"}
_SEARCHED_SIDES = (1280, 1920)
_LARGE = 2500
_QUIET = 13

_Point = tuple[float, float]


def installed() -> bool:
    """True when the extra is there."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def wanted(setting: Literal["auto", "on", "off"]) -> bool:
    """Whether scans are to be read, by ``[gather] ocr``.

    Raises:
        MissingTool: TOOL-OCR, when it is ``on`` and the extra is not installed.
    """
    if setting == "on" and not installed():
        raise MissingTool("TOOL-OCR", subject="rapidocr")
    return setting != "off" and installed()


@cache
def fingerprint() -> str:
    """Changes when the same picture may give another text: versions, models and how they are used."""
    said = [f"{DPI} {LONGEST} {SURE} {_SEARCHED_SIDES} {_LARGE}"]
    for package in (*_PACKAGES, "opencv-python-headless", "numpy"):
        try:
            said.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            said.append(package)
    if installed():
        said += [f"{model.name} {model.stat().st_size}" for model in _models().values()]
    return "\n".join(said)


def read(picture: Image.Image) -> tuple[Line, ...]:
    """Every line found on the picture, also those that are not :data:`SURE`, from top to bottom.

    Raises:
        MissingTool: TOOL-OCR.
    """
    import numpy

    width, height = picture.size
    if min(width, height) < _QUIET or _plain(picture):
        return ()
    side = _SEARCHED_SIDES[max(width, height) > _LARGE]
    # The models were trained on the order of channels that OpenCV uses.
    found = _engine(side)(numpy.ascontiguousarray(numpy.asarray(picture.convert("RGB"))[:, :, ::-1]))
    if found.boxes is None or not found.txts:
        return ()
    lines = []
    for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        corners = [(round(float(x) / width, 4), round(float(y) / height, 4)) for x, y in box]
        lines.append(Line(str(text), _turned(corners, width, height), round(float(score), 3)))
    return tuple(lines)


def _turned(corners: list[_Point], width: int, height: int) -> tuple[_Point, ...]:
    # A box much higher than wide was read lying on its side, from top to bottom.
    across = abs(corners[1][0] - corners[0][0]) * width + abs(corners[1][1] - corners[0][1]) * height
    down = abs(corners[3][0] - corners[0][0]) * width + abs(corners[3][1] - corners[0][1]) * height
    return (*corners[1:], corners[0]) if down >= 1.5 * across else tuple(corners)


def _plain(picture: Image.Image) -> bool:
    # Looking for text on an empty page takes as long as on a full one.
    low, high = picture.convert("L").reduce(2).getextrema()
    return bool(high - low < _QUIET)  # type: ignore[operator]


@cache
def _models() -> dict[str, Path]:
    found = find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        raise MissingTool("TOOL-OCR", subject="rapidocr")
    folder = Path(next(iter(found.submodule_search_locations))) / "models"
    models = {task: sorted(folder.glob(pattern)) for task, pattern in _MODELS.items()}
    if not all(models.values()):
        raise MissingTool("TOOL-OCR", subject="rapidocr")
    return {task: names[-1] for task, names in models.items()}


@cache
def _engine(side: int) -> Any:
    if not installed():
        raise MissingTool("TOOL-OCR", subject="rapidocr")
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            **{f"{task}.model_path": str(model) for task, model in _models().items()},
            "Global.log_level": "critical",
            # What is below is told as unread, so it has to come back.
            "Global.text_score": 0.0,
            "Global.max_side_len": LONGEST,
            "Det.limit_type": "max",
            "Det.limit_side_len": side,
            "Rec.rec_batch_num": 1,
            "Cls.cls_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
