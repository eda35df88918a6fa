"""Finds the built wheels."""

from pathlib import Path

DIST = Path(__file__).parents[1] / "dist"


def built(name: str = "unpanic") -> Path:
    """Returns the wheel in dist/ of `unpanic`, or of `unpanic_tools`, the tools for a desktop.

    Raises:
        SystemExit: dist/ holds no such wheel, or more than one.
    """
    wheels = list(DIST.glob(f"{name}-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"dist/ must hold one wheel of {name}, not {len(wheels)}: run `make dist`.")
    return wheels[0]
