"""Runs the test files, or those that are named, two at a time; the last line is "N passed, M failed".

  tests/python [FILE_test.py...]
"""
import multiprocessing.pool
import pathlib
import re
import signal
import subprocess
import sys
import time

# Where this runs in the background, interrupts are ignored; the tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)
FOLDER = pathlib.Path(__file__).parent


def run(path):
    """What a file said, with its seconds; how many tests it has, and how many failed."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ran = re.search(r"^Ran (\d+) tests? in", done.stdout, re.M)
    failed = sum(map(int, re.findall(r"(?:failures|errors)=(\d+)", done.stdout.strip().splitlines()[-1] if ran else "")))
    if done.returncode != 0:  # a crash, or more failures than tests where some are of one test's parts
        failed = max(failed, 1)
    count = int(ran[1]) if ran else failed
    return f"{done.stdout}{path.name}: {count} tests, {time.monotonic() - start:.0f} s\n", count, min(failed, count)


paths = [FOLDER / name for name in sys.argv[1:]] or sorted(FOLDER.glob("*_test.py"))
passed = failures = 0
with multiprocessing.pool.ThreadPool(2) as pool:
    for said, count, failed in pool.imap(run, paths, chunksize=1):
        print(said, end="", flush=True)
        passed += count - failed
        failures += failed
print(f"{passed} passed, {failures} failed")
sys.exit(failures > 0 or passed == 0)
