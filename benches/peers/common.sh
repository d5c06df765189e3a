# What the scripts that measure peers begin with; to be sourced. Sets `binary`, unless it is set, and `work`, a folder that goes when
# the script ends, and installs restic and borg with apt if they are not there.
binary=${binary:-$PWD/target/release/faircopy}
[ -x "$binary" ] || cargo build --release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in restic borg; do
    command -v "$program" >/dev/null ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq restic borgbackup; } >/dev/null 2>&1
done
