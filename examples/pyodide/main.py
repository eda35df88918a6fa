import unpanic
from pyodide.ffi.wrappers import add_event_listener

from js import document

log = document.getElementById("log")
button = document.getElementById("again")


def show(text):
    log.append(f"{text}\n")


def panic(_event=None):
    try:
        account.withdraw(1_000)
    except unpanic.RustPanic as crash:
        show(f"caught a {crash.kind}: {crash.message}, at {crash.location}")
    show(f"the balance is still {account.balance}")


bank = await unpanic.load("bank/bank.js")
show(f"add(2, 3) = {bank.add(2, 3)}")
show(f"await slow(20) = {await bank.slow(20)}")
account = bank.Account("ada", 60)
account.deposit(40)
panic()

add_event_listener(button, "click", panic)
button.disabled = False
