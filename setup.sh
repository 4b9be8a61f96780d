#!/bin/sh
# Set-up for Debian 12: system packages where they are missing, a virtual environment, the locked libraries.
# Safe to run again. As root or with sudo it installs by itself; otherwise it says exactly what to install.
set -eu
cd "$(dirname "$0")"
python="${1:-python3}"

packages="libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui fonts-noto-cjk fonts-lxgw-wenkai fonts-urw-base35 fonts-dejavu-core
ghostscript ffmpeg poppler-utils openssl python3-venv"
# 仿宋 (FandolFang) comes inside a large TeX package; only its font files are taken.
font_package="texlive-lang-chinese"
fonts=".venv/share/casefile/fonts"

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

as_root=""
if [ "$(id -u)" != 0 ]; then as_root="sudo"; fi

missing=""
for package in $packages; do installed "$package" || missing="$missing $package"; done
if [ -n "$missing" ]; then
    if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
        echo "请系统管理员先安装 (please have installed first):" >&2
        echo "    apt-get install --no-install-recommends$missing" >&2
        exit 4
    fi
    echo "apt:$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

if [ ! -x .venv/bin/python ]; then "$python" -m venv .venv; fi
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install -q --disable-pip-version-check uv==0.13.9
.venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r requirements.lock
.venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e .

if ! ls "$fonts"/FandolFang-Regular.otf >/dev/null 2>&1 && ! installed "$font_package"; then
    mkdir -p "$fonts"
    place="$(mktemp -d)"
    # apt-get download works as any user; the lists must be there.
    if (cd "$place" && { apt-get download -qq "$font_package" >/dev/null 2>&1 ||
        { $as_root apt-get update -qq && apt-get download -qq "$font_package" >/dev/null 2>&1; }; }); then
        dpkg-deb --fsys-tarfile "$place/$font_package"_*.deb |
            tar -x -C "$place" --wildcards './usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/*.otf'
        cp "$place"/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/Fandol*-*.otf "$fonts/"
        rm -f "$fonts"/FandolBraille*
    else
        echo "字体包 $font_package 没有下载成功，仿宋体将以霞鹜文楷代替" >&2
    fi
    rm -rf "$place"
fi

# LibreOffice embeds TrueType as it is and PostScript outlines as Type 1, slower and never twice the same.
.venv/bin/python -m casefile.tools.truetype "$fonts"
