"""The half of the page without unpanic: the same teller, and the bank through Pyodide's plain proxies."""

import json

import bank
import editor
from pyodide.ffi import JsException

OWNERS = ("ada", "bob")
teller = editor.Teller()


def open_bank(source):
    """Runs the source, and lets the teller open the accounts."""
    teller.run(source)
    teller.names["morning"]()


async def call(name, source):
    """Runs the source that the editor holds now, and calls a function of it."""
    try:
        teller.run(source)
        return json.dumps({"result": first_line(repr(await teller.call(name)))})
    except Exception as error:
        return json.dumps({"failure": first_line(f"{type(error).__name__}: {error}"), "is_crash": is_crash(error)})


def is_crash(error):
    """Tells whether the engine stopped Rust. Any other error is the teller's own mistake."""
    return isinstance(error, JsException) and error.name in ("RuntimeError", "RangeError")


def balances():
    """Returns the balances, or the reason why they are unknown."""
    try:
        return json.dumps({"accounts": [[owner, int(bank.balance_of(owner))] for owner in OWNERS], "failure": None})
    except Exception as error:
        failure = first_line(f"{type(error).__name__}: {error}")
        return json.dumps({"accounts": [[owner, None] for owner in OWNERS], "failure": failure})


def first_line(text):
    """Returns the first line, cut: an error of JavaScript may hold a line of a megabyte."""
    return text.partition("\n")[0][:160]
