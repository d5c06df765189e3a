"""Tells how many bytes the records of each type take in the sealed segments of an archive, for each later version.

    python3 kinds.py ARCHIVE PAGES VERSIONS
"""

import collections
import pathlib
import subprocess
import sys
import tempfile


def frames(path):
    """The frames of a zstd file, by their headers and blocks (RFC 8878, 3.1.1)."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        start = at
        magic = int.from_bytes(data[at : at + 4], "little")
        if magic & 0xFFFFFFF0 == 0x184D2A50:
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        else:
            descriptor = data[at + 4]
            single = descriptor >> 5 & 1
            size_bytes = [single, 2, 4, 8][descriptor >> 6]
            at += 5 + (1 - single) + [0, 1, 2, 4][descriptor & 3] + size_bytes
            last = 0
            while not last:
                block = int.from_bytes(data[at : at + 3], "little")
                last, kind, size = block & 1, block >> 1 & 3, block >> 3
                at += 3 + (1 if kind == 1 else size)
            at += 4 if descriptor & 4 else 0
        yield magic, data[start:at]


def main():
    archive, pages, versions = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sizes = collections.Counter()
    for path in archive.glob("sealed/*.warc.zst"):
        with tempfile.NamedTemporaryFile() as dictionary, tempfile.TemporaryDirectory() as folder:
            copy = path.with_name(path.name.replace(".warc.zst", ".dict.zst"))
            subprocess.run(["zstd", "-dcq", copy], check=True, stdout=dictionary)
            packed = []
            for magic, frame in frames(path):
                if magic & 0xFFFFFFF0 == 0x184D2A50:
                    sizes["dictionaries"] += len(frame)
                else:
                    packed.append(frame)
            for number, frame in enumerate(packed):
                pathlib.Path(folder, f"{number}.zst").write_bytes(frame)
            subprocess.run(f"zstd -dq -D {dictionary.name} *.zst", shell=True, check=True, cwd=folder)
            for number, frame in enumerate(packed):
                head = pathlib.Path(folder, str(number)).read_bytes()[:200].decode(errors="replace")
                sizes[head.split("WARC-Type: ")[1].split("\r\n")[0]] += len(frame)
    for kind, size in sizes.most_common():
        what = "dictionaries, first copies" if kind == "dictionaries" else f"{kind} records"
        print(f"{size // (pages * (versions - 1)):8}  of all that is sealed, {what}")


main()
