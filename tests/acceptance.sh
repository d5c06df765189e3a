#!/bin/bash
# What a release is held to beyond CI: long runs and speed. Figures are printed; only wrong results fail.
#   FAIRCOPY_CORPUS=... tests/acceptance.sh
# About half an hour on two cores, and some gigabytes under TMPDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

step "200 kills over 2000 drops"
FAIRCOPY_KILLS=200 FAIRCOPY_DROPS=2000 cargo test --release --test kill -- --nocapture

step "storms of 20000 files"
FAIRCOPY_STORM=20000 cargo test --release --test storm -- --nocapture --test-threads=1

step "a million mutated fragments, read as the parser reads them"
FAIRCOPY_FRAGMENTS=1000000 cargo test --release --lib mutated_fragments

step "speed: CPU of each stage against the HTML parser alone, in one run"
cargo bench --bench pages

step "space: versions of pages, beside restic and borg"
benches/compact.sh

step "check beside a bare loop that unpacks and hashes"
cargo bench --bench check

step "intake: latency, bulk, a hundred thousand files that wait, and idleness"
cargo bench --bench intake

step "a million versions: insertion, start, lookup, memory"
FAIRCOPY_VERSIONS=1000000 cargo bench --bench million

step "memory and throughput of add"
binary=$PWD/target/release/faircopy
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$binary" init "$work/desk" 2>/dev/null
pages=${FAIRCOPY_CORPUS:+$FAIRCOPY_CORPUS/noise/html}; pages=${pages:-$PWD/seeds}
/usr/bin/time -f 'add: %e s elapsed, %U s user, %S s system, %M KiB resident at most' \
    "$binary" --config "$work/desk/faircopy.toml" add "$pages" || [ $? = 3 ]
"$binary" --config "$work/desk/faircopy.toml" check --read-data

if [ "$(id -u)" = 0 ] && command -v systemd-nspawn >/dev/null; then
    step "systemd"
    tests/system/run.sh "$binary"
fi
step "done"
