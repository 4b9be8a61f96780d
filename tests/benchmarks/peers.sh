#!/bin/sh
# Peers of the benchmarks, kept apart from the project: unoserver in an environment of its own.
# python3-uno is unpacked and not installed: nothing of this machine's LibreOffice is touched.
set -eu
cd "$(dirname "$0")/../.."
place=.venv/peers
[ -f "$place/.ready" ] && exit 0
rm -rf "$place"
mkdir -p "$place/uno"
.venv/bin/uv venv -q --python .venv/bin/python "$place/venv"
.venv/bin/uv pip install -q --python "$place/venv/bin/python" unoserver==3.7
folder="$(mktemp -d)"
(cd "$folder" && apt-get download -qq python3-uno)
dpkg-deb -x "$folder"/python3-uno_*.deb "$place/uno"
rm -rf "$folder"
touch "$place/.ready"
