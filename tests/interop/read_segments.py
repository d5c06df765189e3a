"""Reads the segments of an archive with fastwarc (as they are) and with warcio (after zstd -dc), and verifies every digest.

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


def with_warcio(path):
    # A zero tail or a torn frame makes zstd fail.
    plain = subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
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
    for path in sorted(pathlib.Path(sys.argv[1], "segments").glob("*.warc.zst")):
        found = {"fastwarc": with_fastwarc(path), "warcio": with_warcio(path)}
        print(json.dumps({"segment": path.name, **found}))


main()
