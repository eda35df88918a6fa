import unpanic

bank = await unpanic.load("bank/bank.js")
account = bank.Account("ada", 100)


def withdraw(amount):
    """Takes money out and tells what came of it."""
    try:
        account.withdraw(amount)
        outcome = "done"
    except unpanic.RustPanic as crash:
        outcome = f"caught a {crash.kind}: {crash.message}, at {crash.location}"
    # After a panic the account is made again, as it was at first.
    return f"withdraw({amount}): {outcome}; balance {account.balance} in generation {unpanic.status(bank).generation}"
