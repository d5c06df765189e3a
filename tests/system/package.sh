#!/bin/bash
# Runs inside the container of run.sh, as root, with systemd as PID 1: the life of the Debian package, from install to purge.
. /out/checks.sh
archive=/var/lib/faircopy/archive
config=/etc/faircopy/faircopy.toml
installed() { dpkg-query -W -f '${db:Status-Status} ${Version}' faircopy | grep -qx "$1"; }

check "installs" dpkg --install /out/faircopy_1.deb
check "the daemon runs" systemctl is-active -q faircopy.service
check "and starts with the machine" systemctl is-enabled -q faircopy.service
check "the weekly check waits" systemctl is-active -q faircopy-check.timer
check "and does not run now" test "$(systemctl show -P ActiveEnterTimestamp faircopy-check.service)" = ""
check "the pages wait until they are wanted" test "$(systemctl is-enabled faircopy-web.socket)" = disabled
check "the archive is the service's" test "$(stat -c %U $archive):$(stat -c %a /var/lib/faircopy)" = faircopy:750
check "the inbox is the group's" test "$(stat -c %U:%G:%a /srv/faircopy/inbox)" = faircopy:faircopy:2770
for file in man/man1/faircopy.1.gz man/man1/faircopy-check.1.gz bash-completion/completions/faircopy \
    zsh/vendor-completions/_faircopy fish/vendor_completions.d/faircopy.fish doc/faircopy/README.md doc/faircopy/copyright; do
    check "has $file" sh -c "dpkg --listfiles faircopy | grep -q '^/usr/share/$file'"
done
check "completes in bash" bash -c '. /usr/share/bash-completion/completions/faircopy && complete -p faircopy'

install -m 0660 -g faircopy /out/seed.txt /srv/faircopy/inbox/seed.txt.part
mv /srv/faircopy/inbox/seed.txt.part /srv/faircopy/inbox/seed.txt
check "the seed is archived" arrives seed
title=$(faircopy ls --json | jq -r .title)
check "under its title ($title)" test -n "$title" -a "$title" != null

printf '\n[log]\nlevel = "debug"\n' >> $config
check "upgrades" dpkg --install /out/faircopy_2.deb
check "to the new version" installed "installed $(dpkg-deb -f /out/faircopy_2.deb Version)"
check "the configuration is as it was left" grep -q '^level = "debug"' $config
check "the daemon runs again" until_true systemctl is-active -q faircopy.service
check "the document is there" arrives seed
drop bridge; check "a file dropped after the upgrade is archived" arrives bridge

systemctl disable --now -q faircopy.service
check "upgrades while disabled" dpkg --install /out/faircopy_2.deb
check "and stays disabled" test "$(systemctl is-enabled faircopy.service)" = disabled
check "and stopped" test "$(systemctl is-active faircopy.service)" = inactive
systemctl enable --now -q faircopy.service

cp /usr/bin/faircopy /tmp/faircopy
check "is removed" dpkg --remove faircopy
check "the daemon is gone" test "$(systemctl is-active faircopy.service)" != active
check "its program too" test ! -e /usr/bin/faircopy
check "its configuration stays" test -e $config
check "its archive stays" test -e $archive/log/checkpoint
check "comes back" dpkg --install /out/faircopy_2.deb
check "with a daemon that runs" until_true systemctl is-active -q faircopy.service
drop theatre; check "and archives" arrives theatre

check "is purged" dpkg --purge faircopy
check "its configuration is gone" test ! -e $config
check "no unit is left" test "$(systemctl list-unit-files --no-legend 'faircopy*' | wc -l)" = 0
check "nothing has failed" test "$(systemctl --failed --no-legend | grep -c faircopy)" = 0
check "archive and keys are as they were" /tmp/faircopy --archive $archive check --read-data
check "with all documents" test "$(/tmp/faircopy --archive $archive ls --json | wc -l)" = 3
check "the keys are there" test -e /var/lib/faircopy/keys/signing.key
check "what was released is there" sh -c 'ls /srv/faircopy/done/*/*bridge.txt'

checkpoint=$(sha256sum < $archive/log/checkpoint)
check "installs over the archive of before" dpkg --install /out/faircopy_2.deb
check "takes it as it is" test "$(sha256sum < $archive/log/checkpoint)" = "$checkpoint"
check "lists it" arrives theatre
check "is purged again" dpkg --purge faircopy

finish
