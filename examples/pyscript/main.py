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


@when("click", button)
def panic():
    try:
        account.withdraw(1_000)
    except unpanic.RustPanic as crash:
        show(f"caught a {crash.kind}: {crash.message}, at {crash.location}")
    show(f"the balance is still {account.balance}")


bank = await unpanic.load("bank/bank.js")
show(f"add(2, 3) = {bank.add(2, 3)}")
account = bank.Account("ada", 60)
account.deposit(40)
panic()
button.disabled = False
