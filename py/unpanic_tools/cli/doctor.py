"""`unpanic doctor`: what this machine lacks, with the command that installs it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..machine import Check, check_machine
from .output import console

__all__ = ["diagnose"]


def diagnose(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list with one object for each tool.")] = False,
) -> None:
    """Tell what this machine lacks, with the command that installs it.

    Run it in the folder of a crate: its Cargo.lock tells which wasm-bindgen it needs. The exit code is 1 if a crate
    cannot be built here. What only some verbs need is optional.
    """
    checks = check_machine(Path.cwd())
    missing = [check for check in checks if check.required and not check.found]
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            _show(check)
        names = " and ".join(check.name for check in missing)
        console.print(f"\n{names} must be installed first." if missing else "\nA crate can be built here.")
    if missing:
        raise typer.Exit(1)


def _show(check: Check) -> None:
    state = "ok" if check.found else "missing" if check.required else "optional"
    style = {"ok": "green", "missing": "bold red", "optional": "yellow"}[state]
    console.print(f"{state:9}", style=style, end="")
    console.print(f"{check.name:15}{check.found or check.purpose}", soft_wrap=True)
    if not check.found:
        for way, command in check.fixes.items():
            console.print(f"{'':24}{way + ':':12}{command}", soft_wrap=True)
