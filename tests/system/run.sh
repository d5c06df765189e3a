#!/bin/bash
# Boots a real systemd as PID 1 in a container, installs faircopy there as the README says, and runs inside.sh in it; or, given
# two Debian packages, the second an upgrade of the first, package.sh.
#   tests/system/run.sh PATH/TO/faircopy
#   tests/system/run.sh FIRST.deb SECOND.deb
# Needs root and: apt-get install -y --no-install-recommends systemd-container mmdebstrap
# The root file system is made once (about a minute) and kept in $FAIRCOPY_ROOTFS. The journal of the boot stands in $OUT.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rootfs=${FAIRCOPY_ROOTFS:-/var/tmp/faircopy-test-rootfs}
OUT=${OUT:-$(mktemp -d /var/tmp/faircopy-test.XXXXXX)}

missing=
[ "$(id -u)" = 0 ] || missing="root"
for program in systemd-nspawn mmdebstrap; do command -v $program >/dev/null || missing="$missing $program"; done
if [ -n "$missing" ]; then
    echo "skipped: needs $missing"
    [ "${FAIRCOPY_REQUIRE_ALL:-0}" != 1 ] || exit 1
    exit 0
fi

if [ ! -e "$rootfs/.complete" ]; then
    rm -rf --one-file-system "$rootfs"
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,procps,util-linux,jq bookworm "$rootfs"
    touch "$rootfs/.complete"
fi
# Each run starts from the same root: changes go to a layer that is thrown away (--volatile=overlay).
mkdir -p "$OUT/systemd"
cp "$here/../../systemd/"* "$OUT/systemd/"
cp "$here/checks.sh" "$OUT/"
cp "$here/../../seeds/aggregator-travel.txt" "$OUT/seed.txt"
case $# in
1) cp "$here/inside.sh" "$OUT/inside.sh"; install -m 0755 "$1" "$OUT/faircopy" ;;
2) cp "$here/package.sh" "$OUT/inside.sh"; cp "$1" "$OUT/faircopy_1.deb"; cp "$2" "$OUT/faircopy_2.deb" ;;
*) echo "usage: $0 PROGRAM | FIRST.deb SECOND.deb" >&2; exit 2 ;;
esac

mkdir -p "$rootfs/out" "$rootfs/etc/systemd/system/multi-user.target.wants"
cat > "$rootfs/etc/systemd/system/inside.service" <<'UNIT'
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'bash /out/inside.sh > /out/log 2>&1; echo $? > /out/status; journalctl -b --no-pager > /out/journal 2>&1; systemctl --no-block poweroff'
UNIT
ln -sf ../inside.service "$rootfs/etc/systemd/system/multi-user.target.wants/inside.service"

timeout "${LIMIT:-300}" systemd-nspawn -q -D "$rootfs" --volatile=overlay --private-network --bind="$OUT:/out" \
    --register=no --keep-unit -b --console=pipe </dev/null >"$OUT/console" 2>&1 || true
cat "$OUT/log" || { echo "the container did not run the script; console:"; tail -50 "$OUT/console"; exit 1; }
status=$(cat "$OUT/status" 2>/dev/null || echo 1)
[ "$status" = 0 ] || { echo "--- journal"; grep -i faircopy "$OUT/journal" | tail -60; }
exit "$status"
