# What the scripts share that run inside the container of run.sh.
set -u
passed=0 failed=0
ok() { echo "ok: $1"; passed=$((passed + 1)); }
bad() { echo "FAILED: $1"; failed=$((failed + 1)); }
check() { local name=$1; shift; if "$@"; then ok "$name"; else bad "$name ($*)"; fi; }
until_true() { for _ in $(seq 1 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
property() { systemctl show -P "$1" faircopy.service; }
faircopy() { /usr/bin/faircopy --config /etc/faircopy/faircopy.toml "$@"; }
article() { printf 'Local News\n\n%s opens its gates\n\nThe %s opened on Monday after years of work, the council said.\n\nVisitors came from all the towns around the lake to see it.\n' "$1" "$1"; }
drop() { article "$1" > "/srv/faircopy/inbox/$1.txt.part"; chgrp faircopy "/srv/faircopy/inbox/$1.txt.part"; chmod 660 "/srv/faircopy/inbox/$1.txt.part"; mv "/srv/faircopy/inbox/$1.txt.part" "/srv/faircopy/inbox/$1.txt"; }
archived() { faircopy ls --json | jq -r .path | grep -q "$1.txt$"; }
arrives() { until_true archived "$1"; }
finish() { echo "$passed passed, $failed failed"; [ "$failed" = 0 ]; }
