#!/bin/bash
# Restores all raw files and texts of an archive without faircopy: with zstd, coreutils and python's standard library.
#   tests/interop/without_faircopy.sh ARCHIVE TARGET
# Makes TARGET/DOC/CAPTURE/{raw,text.txt,metadata.json} and TARGET/SHA256SUMS, and verifies every digest on the way: the log's
# leaf commits to metadata.json, and that to raw and text. Prints how many captures were restored; fails if any was not.
set -euo pipefail
archive=$(realpath "$1")
target=$2
mkdir "$target"
target=$(realpath "$target")
work=$(mktemp -d)
trap 'rm -rf "$work" "$work.dictionary"' EXIT

# Each frame is a record, so an unpacked segment is a WARC file. A sealed one needs its dictionary, which lies beside it.
for segment in "$archive"/segments/*.warc.zst "$archive"/sealed/*.warc.zst; do
    [ -e "$segment" ] || continue
    name=$(basename "$(dirname "$segment")")-$(basename "$segment" .zst)
    if [ -e "${segment%.warc.zst}.dict.zst" ]; then
        dictionary=$work/dictionary
        zstd -dcq "${segment%.warc.zst}.dict.zst" >"$dictionary"
        zstd -dcq --memory=2048MB -D "$dictionary" "$segment" >"$work/$name"
    else
        zstd -dcq --memory=2048MB "$segment" >"$work/$name"
    fi
done

rm -f "$work/dictionary"
python3 - "$archive" "$work" "$target" <<'PYTHON'
import hashlib, json, pathlib, struct, sys

archive, work, target = map(pathlib.Path, sys.argv[1:])


def leaves():
    """The entries of the log: tiles of 256, each entry after its length; of the last tile there is a part only."""
    tiles = sorted(archive.glob("log/tile/entries/**/*"))
    for path in (path for path in tiles if path.is_file()):
        # A part whose tile is full by now is left behind sometimes.
        if path.parent.name.endswith(".p") and path.parent.with_suffix("").exists():
            continue
        tile, at = path.read_bytes(), 0
        while at < len(tile):
            (length,) = struct.unpack_from(">H", tile, at)
            yield json.loads(tile[at + 2 : at + 2 + length])
            at += 2 + length


def records(path):
    """Headers of each record, and where its block is."""
    with open(path, "rb") as file:
        while line := file.readline():
            assert line == b"WARC/1.1\r\n", (path, file.tell(), line)
            headers = {}
            while (line := file.readline()) != b"\r\n":
                name, value = line.decode().split(":", 1)
                headers[name.lower()] = value.strip()
            length = int(headers["content-length"])
            yield headers, (path, file.tell(), length)
            file.seek(length, 1)
            assert file.read(4) == b"\r\n\r\n", (path, file.tell())


def read(place):
    path, offset, length = place
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def digest(block):
    return "sha256:" + hashlib.sha256(block).hexdigest()


# Of several records with the same bytes (one of them was found damaged) any that is sound will do.
places = {}
for path in sorted(work.iterdir()):
    for headers, place in records(path):
        if headers["warc-type"] in ("resource", "conversion", "metadata"):
            places.setdefault(headers["warc-block-digest"], []).append(place)


def sound(wanted):
    for place in places.get(wanted, []):
        block = read(place)
        if digest(block) == wanted:
            return block
    return None


captures = []
for leaf in leaves():
    if leaf["kind"] == "capture":
        captures.append(leaf)
    elif leaf["kind"] == "erase":
        # Its captures up to here are gone for good.
        captures = [capture for capture in captures if capture["doc"] != leaf["doc"]]

restored = 0
sums = []
for leaf in captures:
    metadata = sound(leaf["metadata"])
    digests = json.loads(metadata)["observation"]["digests"] if metadata else {"raw": None, "text": None}
    raw, text = sound(digests["raw"]), sound(digests["text"])
    if raw is None or text is None:
        print(f"capture {leaf['capture']} of {leaf['doc']} is lost or damaged", file=sys.stderr)
        continue
    folder = target / leaf["doc"] / str(leaf["capture"])
    folder.mkdir(parents=True)
    for name, block in (("metadata.json", metadata), ("raw", raw), ("text.txt", text)):
        (folder / name).write_bytes(block)
        sums.append(f"{digest(block)[7:]}  {folder.relative_to(target) / name}\n")
    restored += 1
(target / "SHA256SUMS").write_text("".join(sums))
print(f"{restored} of {len(captures)} captures restored")
sys.exit(restored != len(captures))
PYTHON

(cd "$target" && sha256sum --check --quiet SHA256SUMS)
