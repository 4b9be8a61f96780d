"""The one page that tells an outsider how to check the package without us (说明文件)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from string import Template

from casefile import resources

NAME = "README.txt"

_STAMP = """\
2a. 清单的时间 / When the manifest was made
   openssl ts -verify -data manifest.xml -in manifest.xml.tsr -CAfile trust/roots.pem
   证明：清单在时间戳所载时间之前已经存在（openssl ts -reply -in manifest.xml.tsr -text 显示时间）。
   The manifest existed at the time that the token states (shown by: openssl ts -reply -text).

"""


def written(
    *,
    case_no: str,
    title: str,
    archival_code: str,
    creator: str,
    created: dt.datetime,
    signer: str,
    stamped: bool,
    volumes: Sequence[str],
) -> bytes:
    """The page, filled."""
    page = Template((resources.root("archive_schema") / "package_readme.txt").read_text(encoding="utf-8"))
    checks = "".join(f"   verapdf --flavour 3b {path}\n   pdfsig {path}\n" for path in volumes)
    return page.substitute(
        case_no=case_no,
        title=title,
        archival_code=archival_code,
        creator=creator,
        created=created.isoformat(),
        signer=signer,
        seconds=int(created.timestamp()),
        stamp=_STAMP if stamped else "",
        volumes=checks,
    ).encode()
