"""Where the built wheel is."""

from pathlib import Path

DIST = Path(__file__).parents[1] / "dist"


def built() -> Path:
    """The wheel in dist/.

    Raises:
        SystemExit: there is none, or more than one.
    """
    wheels = list(DIST.glob("unpanic-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"dist/ must hold one wheel, not {len(wheels)}: run `make dist`.")
    return wheels[0]
