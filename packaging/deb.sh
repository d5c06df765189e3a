#!/bin/bash
# Makes the Debian package and prints its path.
#   packaging/deb.sh [PROFILE [REVISION]]
# PROFILE is release (the default), or dev: a package to try things with, of target/debug/faircopy as it is. The same sources
# and SOURCE_DATE_EPOCH (without it, the time of the last commit) give the same bytes. Needs dpkg-dev and cargo-deb:
# cargo install --locked cargo-deb@3.8.0. DEBFULLNAME and DEBEMAIL name its maintainer (debchange(1)).
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-release} revision=${2:-1}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

folder=$profile speed=
case "$profile" in
dev) folder=debug speed=--fast ;;
*) cargo build --quiet --locked --profile "$profile" ;;
esac
faircopy=target/$folder/faircopy
rm -rf target/package
"$faircopy" man target/package/man
for shell in bash zsh fish; do
    "$faircopy" completions $shell > "target/package/faircopy.$shell"
done
maintainer=()
[ -z "${DEBEMAIL:-}" ] || maintainer=(--maintainer "${DEBFULLNAME:-faircopy} <$DEBEMAIL>")
cargo deb --quiet --no-build "${maintainer[@]}" --no-dbgsym $speed --profile "$profile" --deb-revision "$revision"
