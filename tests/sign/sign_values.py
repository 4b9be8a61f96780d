"""Values that the tests of signing share."""

from __future__ import annotations

import datetime as dt

from casefile.context import CHINA_TIME
from casefile.model.dossier import SignatureBox
from casefile.model.terms import Role

CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
BOXES = (
    SignatureBox("立卷人", Role.COMPILER, 1, (110, 600, 260, 650)),
    SignatureBox("检查人", Role.CHECKER, 1, (110, 520, 260, 570)),
    SignatureBox("单位公章", Role.BUREAU, 1, (330, 500, 449, 619)),
)
