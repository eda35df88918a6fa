"""Exceptions as responses: the problem details that tell of a crash, or of whatever else a handler raised."""

from ..errors import CallInterrupted, Crash, ModuleTerminated
from ._http import HTTPError, Response, problem

__all__ = ["crash_problem", "explain", "named"]


def crash_problem(crash: Crash, detail: str = "") -> Response:
    """Returns the response to a request that crashed, or that a crash interrupted: then `detail` says so."""
    location = getattr(crash, "location", None)
    return problem(
        500,
        detail or str(crash),
        kind=crash.kind,
        message=crash.message,
        location=location and location._asdict(),
        module=crash.module,
        call=crash.call,
        generation=crash.generation,
        recovery=crash.recovery,
        interrupted=bool(detail),
    )


def explain(error: BaseException) -> Response:
    """Returns the response to a request whose handler raised an exception."""
    if isinstance(error, HTTPError):
        return error.response.check()
    if isinstance(error, Crash):
        return crash_problem(error)
    if isinstance(error, CallInterrupted):
        if error.crash:
            return crash_problem(error.crash, str(error))
        return problem(500, str(error), kind="interrupted", interrupted=True)
    if isinstance(error, ModuleTerminated):
        return problem(503, str(error), kind="terminated")
    name, text = type(error).__name__, _text(error)
    return problem(500, named(error), kind="exception", exception=name, message=text)


def named(error: BaseException) -> str:
    """Returns an exception as messages show it: its type and its text."""
    return f"{type(error).__name__}: {_text(error)}"


def _text(error: BaseException) -> str:
    """Returns the text of an exception, whose `__str__` may fail."""
    try:
        return str(error)
    except Exception as failure:
        return f"(its __str__ raises {type(failure).__name__})"
