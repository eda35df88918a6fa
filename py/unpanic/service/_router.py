"""`Router`: a handler that chooses among others by path and method."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from ._http import HTTPError, Request

__all__ = ["Router"]

PARAMETER = re.compile(r"\{([^{}]*)\}")

type Handler = Callable[..., Any]


class Router:
    """A handler that chooses among others, by path and method.

    A route's path may have parameters, each of which stands for text without a slash; the handler gets them by name.
    Routes are tried in the order in which they were added. A path without a route is answered with 404, and a path
    that has routes for other methods only with 405. `HEAD` goes where `GET` does.

    Example:
        >>> router = service.Router()
        >>> @router.get("/accounts/{name}")
        ... async def account(request, name):
        ...     return {"name": name, "balance": accounts[name].balance}
        >>> await service.serve("/bank/", router)
    """

    def __init__(self) -> None:
        self._routes: list[tuple[re.Pattern[str], tuple[str, ...], Handler]] = []

    def route(self, path: str, methods: Sequence[str]) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of a path and some methods.

        Args:
            path: what follows the served prefix: `"/"`, `"/accounts/{name}"`.
            methods: `["GET", "POST"]`.

        Raises:
            ValueError: the path does not begin with a slash, or the name of a parameter cannot be one in Python.
        """
        if not path.startswith("/"):
            raise ValueError(f"The path of a route begins with a slash: {path!r} does not.")
        pieces = PARAMETER.split(path)
        for name in pieces[1::2]:
            if not name.isidentifier() or pieces[1::2].count(name) > 1:
                raise ValueError(
                    f"{name!r} in {path!r} cannot be the name of a function's parameter, or is there twice."
                )
        pieces[1::2] = [f"(?P<{name}>[^/]+)" for name in pieces[1::2]]
        pieces[::2] = [re.escape(piece) for piece in pieces[::2]]
        pattern = re.compile("".join(pieces))
        allowed = tuple(method.upper() for method in methods)

        def add(handler: Handler) -> Handler:
            self._routes.append((pattern, (*allowed, "HEAD") if "GET" in allowed else allowed, handler))
            return handler

        return add

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of `GET` and `HEAD` requests to a path."""
        return self.route(path, ["GET"])

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of `POST` requests to a path."""
        return self.route(path, ["POST"])

    def put(self, path: str) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of `PUT` requests to a path."""
        return self.route(path, ["PUT"])

    def patch(self, path: str) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of `PATCH` requests to a path."""
        return self.route(path, ["PATCH"])

    def delete(self, path: str) -> Callable[[Handler], Handler]:
        """Returns a decorator for the handler of `DELETE` requests to a path."""
        return self.route(path, ["DELETE"])

    def __call__(self, request: Request) -> Any:
        """Calls the handler of the first route that fits.

        Raises:
            HTTPError: 404 or 405, if no route fits.
        """
        allowed: list[str] = []
        for pattern, methods, handler in self._routes:
            # The path is split before it is decoded, so that %2F in a part is not taken for a slash between two.
            if match := pattern.fullmatch(request.raw_path):
                if request.method in methods:
                    return handler(request, **{name: unquote(part) for name, part in match.groupdict().items()})
                allowed += methods
        if not allowed:
            raise HTTPError(404, f"There is nothing at {request.path}.")
        allow = ", ".join(sorted(set(allowed)))
        raise HTTPError(405, f"{request.path} takes {allow}, not {request.method}.", headers={"allow": allow})
