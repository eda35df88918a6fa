"""Compresses a wheel anew with zopfli: what unpacks it notices nothing, and a page downloads a twentieth less."""

import sys
import zipfile
from pathlib import Path

import zopfli.zlib


class Zopfli:
    """A compressor as `zipfile` wants one: raw deflate, all at its end."""

    def __init__(self) -> None:
        self.data = bytearray()

    def compress(self, data: bytes) -> bytes:
        self.data += data
        return b""

    def flush(self) -> bytes:
        header, checksum = 2, 4  # what zlib puts around
        return zopfli.zlib.compress(bytes(self.data))[header:-checksum]


def main(wheel: Path) -> None:
    draft = wheel.with_suffix(".draft")
    # `zipfile` takes no compressor from outside; a private name is the price.
    zipfile._get_compressor = lambda *_: Zopfli()
    with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in given.infolist():
            made.writestr(entry, given.read(entry))
    draft.replace(wheel)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
