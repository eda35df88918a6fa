import unpanic
from pyodide.ffi.wrappers import add_event_listener

from js import document

log = document.getElementById("log")
button = document.getElementById("again")


def show(text):
    log.append(f"{text}\n")


def add():
    show(f"add(2, 3) = {bank.add(2, 3)}, in generation {unpanic.status(bank).generation}")


def panic(_event=None):
    account = bank.Account("ada", 100)
    try:
        account.withdraw(1_000)
    except unpanic.RustPanic as crash:
        show(f"caught a {crash.kind}: {crash.message}, at {crash.location}")
    add()


bank = await unpanic.load("bank/bank.js")
add()
show(f"await slow(20) = {await bank.slow(20)}")
panic()

add_event_listener(button, "click", panic)
button.disabled = False
