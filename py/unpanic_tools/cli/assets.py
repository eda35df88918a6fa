"""`unpanic assets`: the service worker, which a site must serve itself."""

from pathlib import Path
from typing import Annotated

import typer

from .problems import CommandError, read_asset, write_file

__all__ = ["PUBLISHED", "write_assets"]

# The service worker's name in the wheel, and on a site.
WORKER = "service-worker.js"
PUBLISHED = "unpanic-service-worker.js"


def write_assets(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of your site: that of the page, or one above.")
    ],
) -> None:
    """Write the service worker into your site.

    unpanic.service answers requests through the file unpanic-service-worker.js. Do it again whenever you update
    unpanic.
    """
    worker = read_asset(WORKER)
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder: name one of your site.")
    target = folder / PUBLISHED
    write_file(target, worker)
    print(target)
