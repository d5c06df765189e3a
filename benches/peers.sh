#!/bin/bash
# What people would use instead, over the same files in one run: prints one table of ratios.
#   benches/peers.sh FOLDER [BINARY]
# FOLDER holds HTML pages (a hundred real ones tell more than made-up ones); without it, sixty made-up pages are measured.
# Installs what is missing: restic and borg by apt, trafilatura and resiliparse by pip (into a folder of their own), dom_smoothie
# by cargo. Everything runs one after the other on one processor, in turn, five rounds; medians are printed. FAIRCOPY_ROUNDS is
# another number of rounds. About four minutes for a hundred pages, and as much for the first installation.
set -euo pipefail
folder=${1:+$(realpath "$1")} binary=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
. benches/peers/common.sh
rounds=${FAIRCOPY_ROUNDS:-5}
python=target/peers/python
[ -x "$python/bin/python3" ] || python3 -m venv "$python"
"$python/bin/pip" install --quiet trafilatura==2.3.1 lxml_html_clean resiliparse==2.0.1
CARGO_TARGET_DIR=target/peers cargo build --quiet --release --manifest-path benches/peers/dom_smoothie/Cargo.toml

if [ -z "$folder" ]; then
    folder=$work/pages/v01
    python3 benches/compact/pages.py "$work/pages" 60 1
fi
"$python/bin/python3" benches/peers/measure.py "$folder" "$binary" target/peers/release/dom_smoothie_peer "$work" "$rounds"
