"""`unpanic serve`: a site on this machine, with the headers that Python and Rust in a page need."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from .output import console
from .problems import CommandError

__all__ = ["open_port", "serve_folder"]


def serve_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the site.")] = Path(),
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="The port. By default 8000, or a free one; 0 is any free one."
        ),
    ] = None,
    isolate: Annotated[bool, typer.Option(help="Send COOP and COEP, so that pages can share memory.")] = True,
    reload: Annotated[bool, typer.Option(help="Open pages load anew when a file of the site changes.")] = True,
) -> None:
    """Serve a folder to browsers on this machine.

    Wasm, modules and wheels have the types that browsers want, and nothing is kept in a cache. Other machines do not
    reach the server. Ctrl-C ends it.
    """
    # The server takes 0.2 s to import, and only two verbs need it.
    from .. import serving

    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder: name one with an index.html.")
    opened = open_port(port)
    changes = serving.Changes() if reload else None
    site = serving.make_site([serving.Mount("/", folder)], changes, isolated=isolate)

    async def watch(end: asyncio.Event) -> None:
        from watchfiles import awatch

        async for _ in awatch(folder, stop_event=end):
            assert changes is not None
            changes.tell("reload")

    console.print(f"{folder} is served at http://127.0.0.1:{opened.getsockname()[1]}/ (Ctrl-C ends it)", soft_wrap=True)
    serving.run(serving.make_server(site, changes), opened, *([watch] if reload else []))


def open_port(port: int | None) -> socket.socket:
    """Opens the port that the user named, or a free one."""
    from ..serving import listen

    try:
        return listen(port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise CommandError(f"port {port} cannot be used: {reason}. --port 0 takes any free one.") from None
