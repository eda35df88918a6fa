import logging
import sys

import unpanic
from pyscript import document, when

# PyScript reports all output on stderr as an error of the page, but a caught panic is no error.
logging.basicConfig(stream=sys.stdout)

log = document.getElementById("log")
button = document.getElementById("again")


def show(text):
    log.append(f"{text}\n")


def add():
    show(f"add(2, 3) = {bank.add(2, 3)}, in generation {unpanic.status(bank).generation}")


@when("click", button)
def panic():
    account = bank.Account("ada", 100)
    try:
        account.withdraw(1_000)
    except unpanic.RustPanic as crash:
        show(f"caught a {crash.kind}: {crash.message}, at {crash.location}")
    add()


bank = await unpanic.load("bank/bank.js")
add()
panic()
button.disabled = False
