#!/bin/bash
# Drives the audit pages with a real browser over an archive of seeds and of hostile documents, and the JSON with schemathesis.
#   tests/web/run.sh PATH/TO/faircopy
# Needs node, npm and chromium (apt-get install -y --no-install-recommends nodejs npm chromium). Screenshots of each page in light, dark
# and phone width lie in $OUT afterwards, to be looked at: nothing cut, aligned, legible, long titles, right-to-left text.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
faircopy=$(realpath "$1")
OUT=${OUT:-$(mktemp -d /var/tmp/faircopy-web.XXXXXX)}
modules=${FAIRCOPY_NODE_MODULES:-/var/tmp/faircopy-node}

missing=
for program in node npm chromium; do command -v $program >/dev/null || missing="$missing $program"; done
if [ -n "$missing" ]; then
    echo "skipped: needs$missing"
    [ "${FAIRCOPY_REQUIRE_ALL:-0}" != 1 ] || exit 1
    exit 0
fi
[ -d "$modules/node_modules/axe-core" ] || npm install --silent --no-fund --no-audit --prefix "$modules" playwright-core@1 axe-core@4 >/dev/null

desk=$(mktemp -d /var/tmp/faircopy-desk.XXXXXX)
trap 'kill $daemon 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$desk"' EXIT
"$faircopy" init "$desk" 2>/dev/null
sed -i 's/^daemon = false .*/daemon = true/; s/^listen = .*/listen = "127.0.0.1:0"/' "$desk/faircopy.toml"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
sed -i "s/^listen = .*/listen = \"127.0.0.1:$port\"/" "$desk/faircopy.toml"
fc() { "$faircopy" --config "$desk/faircopy.toml" "$@"; }
# By itself, not by the function: it is the daemon that has to be ended, not a shell around it.
"$faircopy" --config "$desk/faircopy.toml" -q run >/dev/null 2>"$OUT/daemon.log" & daemon=$!
for _ in $(seq 100); do fc status >/dev/null 2>&1 && break; sleep 0.1; done

# The seeds, one of them in three versions and once more with other furniture, and what cannot be archived.
mkdir -p "$desk/seeds"
for seed in "$here"/../../seeds/*; do
    case "$seed" in *.golden.*|*README.md) ;; *) cp "$seed" "$desk/seeds/" ;; esac
done
fc -q add "$desk/seeds" >/dev/null 2>&1 || true
ferry="$here/../../seeds/aggregator-travel.txt"
version() { sed "$1" "$ferry" > "$desk/ferry.txt"; fc -q add "$desk/ferry.txt" --url https://www.courier.example/night-ferry >/dev/null; }
version ''
version 's/about 90,000 people/about 95,000 people/'
version 's/about 90,000 people/about 95,000 people/; s/What went wrong?/What happened?/'
version 's/about 90,000 people/about 95,000 people/; s/What went wrong?/What happened?/; s/The Harbour Courier Travel/The Harbour Courier/'
head -c 4096 /dev/urandom > "$desk/inbox/not-an-article.bin"
node "$here/hostile.cjs" "$desk/hostile"
fc -q add "$desk/hostile" >/dev/null
fc -q search ferry >/dev/null
for _ in $(seq 100); do [ -n "$(fc retry 2>/dev/null)" ] && break; sleep 0.1; done

# Prometheus reads the figures without a complaint (apt-get install -y --no-install-recommends prometheus).
if command -v promtool >/dev/null; then
    node -e 'fetch(process.argv[1]).then(answer => answer.text()).then(text => process.stdout.write(text))' \
        "http://127.0.0.1:$port/metrics" | promtool check metrics
elif [ "${FAIRCOPY_REQUIRE_ALL:-0}" = 1 ]; then
    echo "needs promtool"; exit 1
fi

# Whatever may be asked by the description of the JSON, nothing ends in a server error, and all answers are as described
# (pip install schemathesis==4.32.5). That what follows the description is accepted it cannot say: of a date that there is none.
# A bounded number of cases, the same each time.
if command -v schemathesis >/dev/null; then
    (cd "$OUT" && schemathesis run "http://127.0.0.1:$port/api/v1/openapi.json" --checks all --exclude-checks positive_data_acceptance \
        --max-examples 40 --seed 1 --generation-database none --warnings off --no-color > schemathesis.log) || { cat "$OUT/schemathesis.log"; exit 1; }
    sed -n '/^Test cases:/,/generated/p' "$OUT/schemathesis.log"
elif [ "${FAIRCOPY_REQUIRE_ALL:-0}" = 1 ]; then
    echo "needs schemathesis"; exit 1
fi

export NODE_PATH="$modules/node_modules"
FAIRCOPY="$faircopy" DESK="$desk" OUT="$OUT" node "$here/browser.cjs" "http://127.0.0.1:$port"
echo "screenshots: $OUT"
