#!/bin/bash
# Runs inside the container of run.sh, as root, with systemd as PID 1.
. /out/checks.sh

# Install, as the README says.
install -m 0755 /out/faircopy /usr/bin/faircopy
install -D -m 0644 -t /usr/lib/systemd/system /out/systemd/*.service /out/systemd/*.socket /out/systemd/*.timer
install -D -m 0644 /out/systemd/faircopy.sysusers.conf /usr/lib/sysusers.d/faircopy.conf
install -D -m 0644 /out/systemd/faircopy.tmpfiles.conf /usr/lib/tmpfiles.d/faircopy.conf
install -D -m 0644 /out/systemd/faircopy.toml /etc/faircopy/faircopy.toml
systemd-sysusers faircopy.conf
systemd-tmpfiles --create faircopy.conf
check "init as the service's user" runuser -u faircopy -- /usr/bin/faircopy --config /etc/faircopy/faircopy.toml init
systemctl daemon-reload

for unit in faircopy.service faircopy-check.service faircopy-check.timer faircopy-publish.service faircopy-publish.timer; do
    check "$unit verifies" systemd-analyze verify --recursive-errors=no --man=no "/usr/lib/systemd/system/$unit"
done
for unit in faircopy.service faircopy-check.service; do
    exposure=$(systemd-analyze security --offline=true --no-pager "/usr/lib/systemd/system/$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    echo "exposure of $unit: $exposure"
    check "$unit is exposed at most 0.5" awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 0.5) }'
done

# It has a network, which counts for more than all else together.
exposure=$(systemd-analyze security --offline=true --no-pager /usr/lib/systemd/system/faircopy-publish.service | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
check "faircopy-publish.service is exposed at most 1.5 ($exposure)" awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 1.5) }'

check "start waits for ready" systemctl start faircopy.service
check "active" systemctl is-active -q faircopy.service
drop bridge; check "a dropped file is archived" arrives bridge
check "the source was released" test ! -e /srv/faircopy/inbox/bridge.txt
check "status text for systemctl" test -n "$(property StatusText)"
check "the journal has fields" sh -c 'journalctl -u faircopy -o json | grep -q "\"FAIRCOPY_"'

# A second command that writes, while the daemon holds the lock.
article harbour > /tmp/harbour.txt
check "add goes through the socket" faircopy add /tmp/harbour.txt
check "and is archived" arrives harbour

# Reload: good, then bad.
printf '\n[log]\nlevel = "debug"\n' >> /etc/faircopy/faircopy.toml
check "a good reload succeeds" systemctl reload faircopy.service
cp /etc/faircopy/faircopy.toml /tmp/good.toml
echo 'nonsense = ' >> /etc/faircopy/faircopy.toml
if systemctl reload faircopy.service 2>/dev/null; then bad "a bad reload fails"; else ok "a bad reload fails"; fi
check "the old settings go on" systemctl is-active -q faircopy.service
cp /tmp/good.toml /etc/faircopy/faircopy.toml
drop theatre; check "files are archived after a bad reload" arrives theatre

# kill -9, and systemd starts it again.
restarts() { test "$(property NRestarts)" -ge "$1"; }
before=$(property NRestarts)
systemctl kill -s KILL faircopy.service
check "restarted after kill -9" until_true restarts $((before + 1))
check "active again" until_true systemctl is-active -q faircopy.service
drop museum; check "files are archived after kill -9" arrives museum

# A daemon that hangs is restarted by the watchdog.
mkdir -p /etc/systemd/system/faircopy.service.d
printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n' > /etc/systemd/system/faircopy.service.d/test.conf
systemctl daemon-reload; systemctl restart faircopy.service
sleep 5
check "the watchdog is fed while there is nothing to do" test "$(property NRestarts)" = 0 -a "$(systemctl is-active faircopy.service)" = active
kill -STOP "$(property MainPID)"
check "restarted by the watchdog" until_true restarts 1
check "the journal says watchdog" sh -c 'journalctl -u faircopy | grep -qi "watchdog timeout"'
check "active after the watchdog" until_true systemctl is-active -q faircopy.service
drop library; check "files are archived after the watchdog" arrives library
rm -r /etc/systemd/system/faircopy.service.d; systemctl daemon-reload

# Stop finishes what is in hand.
check "stop" systemctl stop faircopy.service
check "ended well" test "$(property Result)" = success
drop station

# A configuration that cannot be used: exit 78, and no loop of restarts.
echo 'nonsense = ' >> /etc/faircopy/faircopy.toml
systemctl start faircopy.service 2>/dev/null
sleep 3
check "a bad configuration exits 78" test "$(property ExecMainStatus)" = 78
check "and is not tried again" test "$(property NRestarts)" = 0
cp /tmp/good.toml /etc/faircopy/faircopy.toml
systemctl reset-failed faircopy.service

# Keys from credentials: the service user cannot even read the originals.
mkdir -p /etc/faircopy/keys /etc/systemd/system/faircopy.service.d
mv /var/lib/faircopy/keys/signing.key /var/lib/faircopy/keys/identity.secret /etc/faircopy/keys/
chown -R root:root /etc/faircopy/keys; chmod 700 /etc/faircopy/keys; chmod 600 /etc/faircopy/keys/*
printf '[Service]\nLoadCredential=faircopy.signing-key:/etc/faircopy/keys/signing.key\nLoadCredential=faircopy.identity-secret:/etc/faircopy/keys/identity.secret\n' > /etc/systemd/system/faircopy.service.d/credentials.conf
systemctl daemon-reload
check "starts with keys from credentials" systemctl start faircopy.service
check "what was dropped while it was down is archived" arrives station

# The audit pages: a unit of its own, started by the first who asks.
ask() { exec 3<>/dev/tcp/127.0.0.1/8437 && printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3 && cat <&3; }
says() { ask "$1" | grep -q "$2"; }
check "the pages' socket starts" systemctl start faircopy-web.socket
check "the pages answer" until_true says / 'Last checkpoint'
check "with the daemon's own figures" says /api/v1/status '"state":"running"'
check "and the documents" says /documents harbour
check "they read, as somebody else" test "$(systemctl show -P DynamicUser faircopy-web.service)" = yes
exposure=$(systemd-analyze security --offline=true --no-pager /usr/lib/systemd/system/faircopy-web.service | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
check "faircopy-web.service is exposed at most 1.0 ($exposure)" awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 1.0) }'

check "the weekly check runs" systemctl start faircopy-check.service
check "the timer starts" systemctl start faircopy-check.timer
printf '\n[publish]\nfolder = "/var/lib/faircopy/published"\n' >> /etc/faircopy/faircopy.toml
check "the checkpoint is published, without the keys" systemctl start faircopy-publish.service
check "others see it" cmp /var/lib/faircopy/published/checkpoint /var/lib/faircopy/archive/log/checkpoint
check "everything reads and verifies" runuser -u faircopy -- /usr/bin/faircopy --config /etc/faircopy/faircopy.toml check --read-data
check "each article once" test "$(faircopy ls --json | wc -l)" = 6
check "stops" systemctl stop faircopy.service

finish
