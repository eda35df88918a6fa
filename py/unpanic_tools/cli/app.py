"""The verbs of `unpanic` together, and how the command ends."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
import typer.core
from unpanic._version import __version__

from .assets import write_assets
from .build import build_wheel
from .dev import develop
from .dist import distribute
from .doctor import diagnose
from .inspect import print_inspection
from .new import make_new
from .problems import CommandError
from .replay import replay_crash
from .rewrite import write_rewritten
from .serve import serve_folder
from .stubs import write_stubs

__all__ = ["app", "main"]

EXIT_CODES = (
    "Exit codes: 0 it is done, 1 it cannot be done (one line says why and what to do), 2 wrong usage, 130 Ctrl-C."
)
# What a shell sees of a program that SIGPIPE ends: `unpanic inspect pkg | head -1`.
NOBODY_READS = 141


class _Plain(typer.core.TyperCommand):
    """A verb whose help shows no `<bool>` beside options that take no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_bool(super().get_params(ctx))


class _PlainGroup(typer.core.TyperGroup):
    """The same for `unpanic` itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_bool(super().get_params(ctx))


def _without_bool(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


app = typer.Typer(
    cls=_PlainGroup,
    name="unpanic",
    help="Rust modules in Python: make them, look into them, and bring them into a page.",
    epilog=EXIT_CODES,
    add_completion=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # breaks the lines of docstrings anew
)
VERBS: dict[str, Callable[..., None]] = {
    "new": make_new,
    "dev": develop,
    "build": build_wheel,
    "dist": distribute,
    "serve": serve_folder,
    "inspect": print_inspection,
    "replay": replay_crash,
    "doctor": diagnose,
    "stubs": write_stubs,
    "rewrite": write_rewritten,
    "assets": write_assets,
}
for name, verb in VERBS.items():
    app.command(name, cls=_Plain)(verb)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.

    Args:
        args: the words after `unpanic`; None takes those of the process.
    """
    try:
        code = app(args, prog_name="unpanic", standalone_mode=False) or 0
        sys.stdout.flush()
    except CommandError as error:
        error.tell()
        return 1
    except typer.TyperException as error:
        return _fail(explain_usage(error), error.exit_code)
    except (BrokenPipeError, SystemExit):
        # Typer and rich end the process when nobody reads its output any more.
        return _end_unread()
    except OSError as error:
        return _fail(f"{error.filename or 'a file'} cannot be used: {error.strerror or error}.")
    return code


def _fail(problem: str, code: int = 1) -> int:
    print(f"unpanic: {problem}", file=sys.stderr)
    return code


def _end_unread() -> int:
    """Sees to it that Python does not complain at its end about what it cannot write."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    return NOBODY_READS


def explain_usage(error: typer.TyperException) -> str:
    """Returns what was wrong with the arguments, and what would be right."""
    message = error.format_message().rstrip(".")
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is None or context.parent is None:
        return f"{message}. The commands are {', '.join(VERBS)}."
    return f"{message}. `{context.command_path} --help` shows what it takes."


def print_version(wanted: bool) -> None:
    """Prints the version and ends the command."""
    if wanted:
        print(f"unpanic {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Prints the help if there is no verb."""
    if context.invoked_subcommand is None:
        # With rich, this prints the text itself, and returns none.
        print(context.get_help(), end="")
