"""The half of the page without unpanic: the same teller, and the bank as Pyodide's plain proxies give it."""

import json

import bank
import editor
from pyodide.ffi import JsException

OWNERS = ("ada", "bob")
teller = editor.Teller()


def open_bank(source):
    """Lets the teller begin."""
    teller.run(source)
    teller.names["morning"]()


async def call(name, source):
    """Lets the teller do something, by the source that the editor holds now."""
    try:
        teller.run(source)
        return json.dumps({"result": first_line(repr(await teller.call(name)))})
    except Exception as error:
        return json.dumps({"failure": first_line(f"{type(error).__name__}: {error}"), "is_crash": is_crash(error)})


def is_crash(error):
    """Whether the engine stopped Rust; anything else is the teller's own mistake."""
    return isinstance(error, JsException) and error.name in ("RuntimeError", "RangeError")


def balances():
    """What is on the accounts, or why nobody knows."""
    try:
        return json.dumps({"accounts": [[owner, int(bank.balance_of(owner))] for owner in OWNERS], "failure": None})
    except Exception as error:
        failure = first_line(f"{type(error).__name__}: {error}")
        return json.dumps({"accounts": [[owner, None] for owner in OWNERS], "failure": failure})


def first_line(text):
    """An error of JavaScript may hold a line of a megabyte."""
    return text.partition("\n")[0][:160]
