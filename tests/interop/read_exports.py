"""Judges exports with programs that others wrote; the first thing that is wrong ends it with an error.

    python3 read_exports.py EXPECTED.json

EXPECTED.json says where the exports lie and what must come out of them:

    {"warc": a folder below `collections`, "bag": ..., "jsonl": ..., "markdown": ...,
     "pages": [{"url": ..., "date": 14 digits, "bytes": base64}...], "urns": number}

WARC: warcio check, warcio and fastwarc verify every digest, each line of the index is what pywb's own indexer says, pywb
replays every page byte by byte. The bag: bagit.py. Markdown: its front matter is YAML.
"""

from gevent import monkey

monkey.patch_all()

import base64
import io
import json
import os
import pathlib
import subprocess
import sys

import bagit
import fastwarc.warc
import yaml
from pywb.apps.frontendapp import FrontEndApp
from pywb.indexer.cdxindexer import write_cdx_index
from warcio.archiveiterator import ArchiveIterator
from werkzeug.test import Client


def check(condition, message):
    if not condition:
        raise SystemExit(message)


def warc_files(folder):
    files = sorted((folder / "archive").glob("*.warc.gz"))
    check(files, "no WARC file")
    for path in files:
        subprocess.run([sys.executable, "-m", "warcio.cli", "check", path], check=True, stdout=sys.stderr)
        ids, refers = set(), []
        with open(path, "rb") as stream:
            for record in ArchiveIterator(stream, check_digests=True):
                record.content_stream().read()
                check(record.digest_checker.passed is not False, f"{path}: {record.digest_checker.problems}")
                ids.add(record.rec_headers.get_header("WARC-Record-ID"))
                refers.append(record.rec_headers.get_header("WARC-Refers-To"))
        check(all(id in ids for id in refers if id), f"{path}: a record refers to one that is not there")
        with open(path, "rb") as stream:
            for record in fastwarc.warc.ArchiveIterator(stream, parse_http=False):
                record.freeze()
                check(record.verify_block_digest(), f"{path}: wrong digest in {record.record_id}")
    return files


def index(folder, files):
    ours = (folder / "indexes/index.cdxj").read_bytes().splitlines()
    check(ours == sorted(ours), "the index is not sorted")
    theirs = []
    for path in files:
        out = io.BytesIO()
        with open(path, "rb") as stream:
            write_cdx_index(out, stream, path.name, cdxj=True, sort=True, include_all=True)
        theirs += out.getvalue().splitlines()

    def parse(line):
        key, date, fields = line.decode().split(" ", 2)
        fields = json.loads(fields)
        return key, date, tuple(fields.get(name) for name in ("url", "mime", "digest", "length", "offset", "filename"))

    places = {parse(line)[2][4:]: parse(line) for line in theirs if b'"' in line and line.count(b" ") >= 2}
    for line in ours:
        entry = parse(line)
        check(places.get(entry[2][4:]) == entry, f"pywb indexes otherwise: {entry} / {places.get(entry[2][4:])}")
    return ours


def replay(folder, pages):
    os.chdir(folder.parent.parent)
    app = FrontEndApp(config_file=None, custom_config={"debug": False})
    client = Client(app)
    for page in pages:
        # No browser sends a fragment; an address without a path is sent on to the one with a slash.
        url = page["url"].split("#")[0]
        answer = client.get(f"/{folder.name}/{page['date']}id_/{url}", follow_redirects=True)
        check(answer.status_code == 200, f"{page['url']}: {answer.status}")
        check(answer.data == base64.b64decode(page["bytes"]), f"{page['url']} at {page['date']}: other bytes")


def markdown(folder):
    files = sorted(folder.iterdir())
    for path in files:
        front = path.read_text(encoding="utf-8").split("---\n", 2)[1]
        fields = yaml.safe_load(front)
        check(str(fields["doc"]) in path.name, f"{path}: {fields}")
    return len(files)


def main():
    expected = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(expected["warc"])
    lines = index(folder, warc_files(folder))
    check(len(lines) == len(expected["pages"]) + expected["urns"], f"{len(lines)} lines in the index")
    bagit.Bag(expected["bag"]).validate()
    articles = [json.loads(line) for line in open(expected["jsonl"], encoding="utf-8")]
    count = markdown(pathlib.Path(expected["markdown"]))
    check(count == len(articles), f"{count} Markdown files, {len(articles)} lines")
    replay(folder, expected["pages"])
    print(json.dumps({"index": len(lines), "articles": len(articles), "replayed": len(expected["pages"])}))


main()
