"""Measures faircopy and its peers over the same pages, in turn, and prints a table of pages for each second of CPU.

    python3 measure.py FOLDER FAIRCOPY DOM_SMOOTHIE WORK ROUNDS

What runs in this process (trafilatura, resiliparse) is measured without its start-up, as threads of its own count; what is a
command is measured whole, start-up and kernel included. Nobody but faircopy makes metadata records, ledgers, hashes of the log
and files that are synced in `add`; nobody but restic and borg keeps files beside it.
"""

import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

import resiliparse.extract.html2text as html2text
import resiliparse.parse.html as parser
import trafilatura

FOLDER, FAIRCOPY, DOM_SMOOTHIE, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:5])
ROUNDS = int(sys.argv[5])


def command(*arguments, **settings):
    """Seconds of CPU that a command and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **settings)
    # 3: some of the pages were refused, each by name.
    if done.returncode not in (0, 3):
        sys.exit(f"{arguments[0]}: {done.stderr.decode(errors='replace')}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def here(work):
    """Seconds of CPU that `work` takes in this process over all pages."""
    before = time.process_time()
    for page in PAGES:
        work(page)
    return time.process_time() - before


def fresh(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def add():
    desk = fresh("desk")
    subprocess.run([FAIRCOPY, "-q", "init", desk], check=True, stdout=subprocess.DEVNULL)
    return command(FAIRCOPY, "-q", "--config", desk / "faircopy.toml", "add", FOLDER)


def restic():
    repository = fresh("restic")
    environment = dict(os.environ, RESTIC_PASSWORD="x")
    subprocess.run(["restic", "-q", "init", "-r", repository], check=True, env=environment)
    return command("restic", "-q", "backup", "-r", repository, "--no-cache", FOLDER, env=environment)


def borg():
    repository = fresh("borg")
    environment = dict(os.environ, BORG_UNENCRYPTED_REPO_ACCESS_IS_OK="yes", BORG_BASE_DIR=str(WORK / "borg-base"))
    subprocess.run(["borg", "init", "-e", "none", repository], check=True, env=environment)
    return command("borg", "create", f"{repository}::one", FOLDER, env=environment)


def by_resiliparse(page):
    tree = parser.HTMLTree.parse(page)
    html2text.extract_plain_text(tree, main_content=True)


def text_of(raw):
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".html", ".htm"))
RAWS = [path.read_bytes() for path in FILES]
PAGES = [text_of(raw) for raw in RAWS]
LIST = WORK / "files"
LIST.write_text("".join(f"{path}\n" for path in FILES))

WAYS = {
    "faircopy clean --json": lambda: command(FAIRCOPY, "clean", "--json", "--files-from", LIST),
    "faircopy add": add,
    "resiliparse": lambda: here(by_resiliparse),
    "dom_smoothie": lambda: command(DOM_SMOOTHIE, *FILES),
    "trafilatura": lambda: here(trafilatura.extract),
    "restic backup": restic,
    "borg create": borg,
}

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
seconds = {name: [] for name in WAYS}
for number in range(ROUNDS + 1):
    for name, way in WAYS.items():
        taken = way()
        # The first round warms the caches.
        if number:
            seconds[name].append(taken)


def rate(name):
    return len(FILES) / statistics.median(seconds[name])


def ratio(ours, *theirs):
    """How many times as many pages a second of CPU sees: the median of the rounds' ratios."""
    rounds = zip(seconds[ours], *(seconds[name] for name in theirs))
    return statistics.median(sum(other) / our for our, *other in rounds)


size = sum(map(len, RAWS)) / len(RAWS) / 1000
print(f"{len(FILES)} pages of {size:.0f} KB on average, {ROUNDS} rounds, one processor\n")
print("| | pages per CPU second | `clean` is | `add` is |")
print("|---|---:|---:|---:|")
for name in WAYS:
    clean = f"{ratio('faircopy clean --json', name):.2f}x"
    adding = f"{ratio('faircopy add', name):.2f}x"
    print(f"| {name} | {rate(name):.0f} | {clean} | {adding} |")
both = ratio("faircopy add", "trafilatura", "restic backup")
apart = [sum(pair) for pair in zip(seconds["trafilatura"], seconds["restic backup"])]
print(f"| trafilatura and restic | {len(FILES) / statistics.median(apart):.0f} | | {both:.2f}x |")
