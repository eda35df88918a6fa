"""Runs the application on 127.0.0.1 until Ctrl-C."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from starlette.applications import Starlette

from .changes import Changes

__all__ = ["listen", "make_server", "run"]

HOST = "127.0.0.1"
USUAL_PORT = 8000


def listen(port: int | None) -> socket.socket:
    """Opens a port of this machine that other machines do not reach.

    Args:
        port: which one; 0 is any free one. None is the usual one, or any free one if that is taken.

    Raises:
        OSError: the port is taken, or may not be used.
    """
    try:
        return socket.create_server((HOST, USUAL_PORT if port is None else port))
    except OSError:
        if port is not None:
            raise
        return socket.create_server((HOST, 0))


class _Server(uvicorn.Server):
    """Ends the streams of open pages before it waits for them."""

    changes: Changes | None = None

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Ctrl-C."""
        super().handle_exit(sig, frame)
        if self.changes:
            self.changes.close()


def make_server(site: Starlette, changes: Changes | None) -> uvicorn.Server:
    """Makes the server of a site; its `should_exit` ends it."""
    config = uvicorn.Config(site, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    server.changes = changes
    return server


def run(
    server: uvicorn.Server, opened: socket.socket, *beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]]
) -> None:
    """Serves until Ctrl-C, or until something that runs beside fails.

    Args:
        server: the server.
        opened: the port, from `listen`.
        beside: run as long as the server does. Each gets an event that is set at the end.
    """

    async def serve() -> None:
        end = asyncio.Event()
        tasks = [asyncio.ensure_future(each(end)) for each in beside]
        for task in tasks:
            task.add_done_callback(lambda _: setattr(server, "should_exit", True))
        await server.serve(sockets=[opened])
        end.set()
        await asyncio.gather(*tasks)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
