"""Prints the sizes of the files that users download, and fails if one exceeds its budget."""

import gzip
import sys
from pathlib import Path

from scripts.wheel import built as built_wheel

ROOT = Path(__file__).parents[1]
KILOBYTE = 1000
BUNDLE_BUDGET = 60 * KILOBYTE
WHEEL_BUDGET = 300 * KILOBYTE
TOOLS_BUDGET = 50 * KILOBYTE


def main() -> int:
    bundle = (ROOT / "js" / "dist" / "runtime.js").read_bytes()
    wheel, tools = built_wheel(), built_wheel("unpanic_tools")
    sizes = [
        ("runtime.js, gzip -9", len(gzip.compress(bundle, 9)), BUNDLE_BUDGET),
        (wheel.name, wheel.stat().st_size, WHEEL_BUDGET),
        (tools.name, tools.stat().st_size, TOOLS_BUDGET),
    ]
    for name, size, budget in sizes:
        verdict = "ok" if size <= budget else "too large"
        print(f"{name}: {size / KILOBYTE:.1f} kB of {budget / KILOBYTE:.0f} kB, {verdict}")
    return int(any(size > budget for _, size, budget in sizes))


if __name__ == "__main__":
    sys.exit(main())
