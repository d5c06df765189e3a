"""Reads the segments of an archive, sealed and hot, with fastwarc (as they are) and with warcio (after zstd -dc), and verifies
every digest.

Prints one JSON object per segment: how many records each of them read, of which types, and how many digests it verified.
Any digest that is wrong, and any record that cannot be read, ends it with an error.

    python3 read_segments.py ARCHIVE
"""

import collections
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import fastwarc.warc
from warcio.archiveiterator import ArchiveIterator


def with_fastwarc(path):
    types, digests = collections.Counter(), 0
    with open(path, "rb") as stream:
        for record in fastwarc.warc.ArchiveIterator(stream, parse_http=False):
            types[record.headers["WARC-Type"]] += 1
            record.freeze()
            if not record.verify_block_digest():
                raise SystemExit(f"{path}: fastwarc finds a wrong block digest in {record.record_id}")
            # It knows payload digests of HTTP messages only.
            digests += 1
    return {"records": sum(types.values()), "types": types, "digests": digests}


def unpacked(path):
    """What zstd makes of a segment. A zero tail or a torn frame makes it fail."""
    copy = path.with_name(path.name.replace(".warc.zst", ".dict.zst"))
    options = []
    with tempfile.NamedTemporaryFile() as dictionary:
        if copy.exists():
            subprocess.run(["zstd", "-dcq", copy], check=True, stdout=dictionary)
            options = ["-D", dictionary.name]
        return subprocess.run(["zstd", "-dcq", *options, path], check=True, stdout=subprocess.PIPE).stdout


def with_warcio(path):
    plain = unpacked(path)
    types, digests = collections.Counter(), 0
    for record in ArchiveIterator(io.BytesIO(plain), check_digests=True):
        types[record.rec_type] += 1
        record.content_stream().read()
        if record.digest_checker.passed is False:
            raise SystemExit(f"{path}: warcio finds {record.digest_checker.problems}")
        digests += record.digest_checker.passed is True
    with tempfile.NamedTemporaryFile(suffix=".warc") as file:
        file.write(plain)
        file.flush()
        # The command that the format's description names.
        subprocess.run([sys.executable, "-m", "warcio.cli", "check", file.name], check=True)
    return {"records": sum(types.values()), "types": types, "digests": digests}


def main():
    archive = pathlib.Path(sys.argv[1])
    for path in sorted(archive.glob("sealed/*.warc.zst")) + sorted(archive.glob("segments/*.warc.zst")):
        found = {"fastwarc": with_fastwarc(path), "warcio": with_warcio(path)}
        print(json.dumps({"segment": f"{path.parent.name}/{path.name}", **found}))
    digests = sorted(archive.glob("sealed/*.sha256"))
    if digests:
        subprocess.run(["sha256sum", "--quiet", "-c", *digests], check=True, cwd=archive / "sealed")


main()
