"""The main job: Python calls Rust, sees a panic as an exception, and goes on."""

BANK = "/fixtures/bank/pkg/abort/bank.js"


async def call_panic_call(glue):
    import unpanic

    bank = await unpanic.load(glue)
    add = bank.add
    found = {"add": add(2, 3), "name": bank.__name__}
    account = bank.Account("ada", 100)
    found["balance"] = account.balance
    account.deposit(10)
    found["after"] = account.balance
    found["slow"] = await bank.slow(20)
    try:
        account.withdraw(1000)
    except unpanic.RustPanic as panic:
        found["panic"] = [str(panic), panic.message, str(panic.location), panic.recovery, panic.payload]
        found["frames"] = [frame.function for frame in panic.frames][:3]
    found["again"] = add(20, 3)
    found["status"] = str(unpanic.status(bank))
    return found


def test_a_panic_costs_one_exception(py):
    """Everything works before, the panic arrives with its place, and everything works afterwards."""
    found = py.run(call_panic_call, glue=BANK)
    print(found)
    assert found["again"] == 23
