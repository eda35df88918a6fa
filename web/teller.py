"""The bank's teller. Change what it does, then press Run."""

import bank  # written in Rust, compiled to WebAssembly
import loops  # another module; unpanic loaded it with timeout=1


def deposit():
    """An ordinary call."""
    return bank.deposit("ada", 5)


def overdraw():
    """Panics: no account has that much."""
    return bank.withdraw("ada", 1_000_000)


def audit():
    """Calls itself until the stack is full."""
    return bank.audit("ada")


def statements():
    """Asks for more memory than there is."""
    return len(bank.statements(1_000))


def loop():
    """Computes without end."""
    return loops.spin()


async def wait():
    """Is in flight for three seconds."""
    return await bank.slow(3_000)


def morning():
    """Opens the accounts; runs again after each reset."""
    bank.deposit("ada", 100)
    bank.deposit("bob", 20)
