"""Runs tests in a browser: `python -m scripts.tests NAME ARGUMENTS OF PYTEST`. Failed tests get one second try.

A run of hundreds of tests in a browser meets, once in many runs, an engine or a machine that does not answer in time.
Failed tests therefore run again in a new process with a new browser, and have to pass there. The summary names them, so
that they are looked at: a test that fails now and then is a bug, in the test or in the product.

NAME is where pytest remembers which tests failed. Runs that go side by side need different names.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAILED = 1
# So many failures of the second try are no accident.
MOST = 10


def main(name: str, *arguments: str) -> int:
    cache = ROOT / ".cache" / "pytest" / name
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    failures = cache / "v" / "cache" / "lastfailed"
    failures.unlink(missing_ok=True)
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    failed = list(json.loads(failures.read_text("utf-8"))) if failures.exists() else []
    if code != FAILED or not failed:
        return code
    print(f"\nSECOND TRY of {len(failed)} tests that failed:", *failed, sep="\n  ", flush=True)
    return subprocess.run([*command, "--last-failed", f"--maxfail={MOST}"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
