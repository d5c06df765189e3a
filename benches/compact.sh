#!/bin/bash
# What later versions of a page cost: ten successive edits of each of 60 pages, archived and sealed by faircopy, and backed up by
# restic and borg at their best settings, in one run. Figures are printed; a figure beyond its limit fails.
#   benches/compact.sh [BINARY]
# Installs restic and borg with apt if they are not there. About three minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-}
. benches/peers/common.sh
pages=60 versions=10
python3 benches/compact/pages.py "$work/pages" "$pages" "$versions"

bytes() { find "$@" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# The folder as a crawler leaves it: the same names, each time the next version.
put() { rm -rf "$work/now" && cp -r "$work/pages/v$1" "$work/now"; }

"$binary" init "$work/desk" 2>/dev/null
archive=$work/desk/archive
faircopy() { "$binary" --config "$work/desk/faircopy.toml" -q "$@"; }

export RESTIC_PASSWORD=x BORG_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_BASE_DIR=$work/borg-base
restic -q init -r "$work/restic" --repository-version 2
borg init -e none "$work/borg"
backed_up() {
    restic -q backup -r "$work/restic" --compression max --no-cache "$work/now"
    borg create -C zstd,22 "$work/borg::$1" "$work/now"
}

for version in $(seq -f %02g "$versions"); do
    put "$version"
    faircopy add "$work/now" >/dev/null
    backed_up "$version"
    if [ "$version" = 01 ]; then
        # With one version of each the archive is sealed, too, but in a copy: the real one is sealed once, with all versions.
        cp -r "$work/desk" "$work/one"
        "$binary" --config "$work/one/faircopy.toml" -q compact --all
        one=$(bytes "$work/one/archive")
        one_catalog=$(bytes "$work/one/archive/"catalog.sqlite*)
        one_copies=$(bytes "$work/one/archive/sealed" -name '*.dict.zst')
        restic_one=$(bytes "$work/restic") borg_one=$(bytes "$work/borg")
    fi
done
hot=$(bytes "$archive/segments")
before=$SECONDS
faircopy compact --all
seconds=$((SECONDS - before))
faircopy check --read-data
later=$((pages * (versions - 1)))
each() { echo $((($1 - $2) / later)); }

ten=$(bytes "$archive")
catalog=$(bytes "$archive/"catalog.sqlite*)
copies=$(bytes "$archive/sealed" -name '*.dict.zst')
all=$(each $((ten - catalog)) $((one - one_catalog)))
single=$(each $((ten - catalog - copies)) $((one - one_catalog - one_copies)))
restic=$(each "$(bytes "$work/restic")" "$restic_one")
borg=$(each "$(bytes "$work/borg")" "$borg_one")
least=$((restic < borg ? restic : borg))
printf 'pages of %s bytes; %s later versions; sealed in %s s, from %s bytes to %s\n' \
    "$(($(bytes "$work/pages") / pages / versions))" "$later" "$seconds" "$hot" "$(bytes "$archive/sealed")"
printf 'bytes for each later version:\n'
printf '%8s  %s\n' "$all" "all included, texts, metadata and log, but the catalog" \
    "$single" "without the second copies of the dictionaries" \
    "$(each "$catalog" "$one_catalog")" "the catalog, which can be deleted" \
    "$restic" "restic, of the pages alone" "$borg" "borg, of the pages alone"
python3 benches/compact/kinds.py "$archive" "$pages" "$versions"

fail() { echo "beyond its limit: $*" >&2; exit 1; }
[ "$all" -le 6500 ] || fail "all included, $all of 6500"
[ "$single" -le 4000 ] || fail "without second copies, $single of 4000"
[ $((all * 9 / 2)) -le "$least" ] || fail "$all is not 4.5 times smaller than $least"
