# The page itself runs MicroPython, which starts at once. The Rust module runs in the worker.
from pyscript import document, when, workers

call = document.getElementById("call")
again = document.getElementById("again")


async def withdraw(amount):
    document.getElementById("log").append(await bank.withdraw(amount) + "\n")


@when("click", call)
async def withdraw_some():
    await withdraw(10)


@when("click", again)
async def withdraw_too_much():
    await withdraw(1_000)


bank = await workers["bank"]
await withdraw(10)
await withdraw(1_000)
await withdraw(10)
call.disabled = again.disabled = False
