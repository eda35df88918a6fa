import inspect

import unpanic
from bundle import glue, types, wasm
from pyodide.ffi.wrappers import add_event_listener

from js import document

log = document.getElementById("log")
button = document.getElementById("again")


def show(text):
    log.append(f"{text}\n")


def add():
    show(f"add(2, 3) = {bank.add(2, 3)}, in generation {unpanic.status(bank).generation}")


def panic(_event=None):
    # A crash resets a module of a bundle. The next call runs in the next generation, without the state of this one.
    account = bank.Account("ada", 100)
    try:
        account.withdraw(1_000)
    except unpanic.RustPanic as crash:
        show(f"caught a {crash.kind}: {crash.message}, at {crash.location}")
    add()


bank = await unpanic.load(glue, wasm=wasm, types=types, name="bank")
show(f"bank.add{inspect.signature(bank.add)}")
add()
show(f"await slow(20) = {await bank.slow(20)}")
panic()

add_event_listener(button, "click", panic)
button.disabled = False
