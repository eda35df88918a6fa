"""Wheels of packages that are installed here: what pip has unpacked is packed again."""

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

__all__ = ["NotPacked", "pack_installed"]

# Made by the installer, which is not the one that will install the wheel.
OF_INSTALLER = {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json"}
# The first moment that a zip file knows: the same files make the same wheel.
MOMENT = (1980, 1, 1, 0, 0, 0)


class NotPacked(ValueError):
    """A package cannot be packed; the message says why."""


def pack_installed(name: str, folder: Path) -> Path:
    """Packs an installed package of pure Python as a wheel, and returns the wheel.

    Args:
        name: the distribution's name.
        folder: where the wheel goes.

    Raises:
        NotPacked: it is not installed, or not as a wheel of pure Python.
    """
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise NotPacked(f"{name} is not installed here as a package: run `pip install {name}`.") from None
    tag = _tag(installed)
    stem = f"{installed.metadata['Name'].replace('-', '_')}-{installed.version}"
    wheel = folder / f"{stem}-{tag}.whl"
    record = f"{stem}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, file in sorted(_files(installed).items()):
            content = file.read_bytes()
            archive.writestr(_entry(place), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{place},sha256={digest},{len(content)}")
        archive.writestr(_entry(record), "\n".join([*lines, f"{record},,", ""]))
    return wheel


def _entry(place: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(place, MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _tag(installed: Distribution) -> str:
    lines = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.partition(": ")[2] for line in lines if line.startswith("Tag: ")]
    pure = [tag for tag in tags if tag.endswith("-none-any")]
    if not pure:
        found = ", ".join(tags) or "an installation that is no wheel"
        raise NotPacked(f"{installed.metadata['Name']} is not pure Python: it is {found}.")
    return pure[0]


def _files(installed: Distribution) -> dict[str, Path]:
    """Returns the files of the wheel by their places in it."""
    files = {}
    for file in installed.files or ():
        is_of_installer = file.parent.name.endswith(".dist-info") and file.name in OF_INSTALLER
        if ".." in file.parts or "__pycache__" in file.parts or is_of_installer or file.parts[0] in ("bin", "Scripts"):
            continue
        path = Path(str(file.locate()))
        if not path.is_file():
            raise NotPacked(f"{installed.metadata['Name']} is installed without its file {file}: install it again.")
        files[file.as_posix()] = path
    if not any(place.endswith((".py", ".so")) for place in files):
        name = installed.metadata["Name"]
        raise NotPacked(f"{name} is installed from its sources (editable): install its wheel.")
    return files
