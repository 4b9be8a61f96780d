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
# OCRmyPDF needs tesseract, which is only for this comparison and never for the product.
if command -v tesseract >/dev/null || apt-get install -y -qq --no-install-recommends tesseract-ocr >/dev/null; then
    .venv/bin/uv venv -q --python .venv/bin/python "$place/ocrmypdf"
    .venv/bin/uv pip install -q --python "$place/ocrmypdf/bin/python" "ocrmypdf~=17.0" ||
        echo "OCRmyPDF can't be had and is left out"
fi
touch "$place/.ready"
