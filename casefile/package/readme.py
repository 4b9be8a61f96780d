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


_FOLLOWS = """\
2b. 以前的版本 / The versions before
   本包是补充归卷后的新版本，接在 $version 之后。former/ 里是以前各版本的清单、签名和时间戳，按第2步的命令逐个
   核验；manifest.xml 中 <previous> 的摘要等于前一版本 manifest.xml 的 SHA-256：
   sha256sum former/$version/manifest.xml
   证明：以前归档的各件没有改动，序号、页号照旧，只在卷末续补（<supplements> 载明补充了哪些件和原因）。
   This is a later version, which adds to $version. The manifests of the versions before lie in former/ with
   their signatures; <previous> in manifest.xml is the SHA-256 of the one before, <supplements> tells what
   was added and why.
   在档案库中，未变的文件存于以前版本的文件夹；要在一处核验，请先导出（或用 OCFL 工具提取）。
   In the archive, a file that did not change lies in the folder of the version that brought it: export first.

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
    follows: str = "",
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
        follows=Template(_FOLLOWS).substitute(version=follows) if follows else "",
        volumes=checks,
    ).encode()
