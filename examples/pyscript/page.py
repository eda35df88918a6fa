# The page itself runs MicroPython, which starts at once. The Rust module runs in the worker.
from pyscript import document, when, workers

call = document.getElementById("call")
again = document.getElementById("again")
deep = "(" * 300 + "1" + ")" * 300


async def show_compiled(query):
    document.getElementById("log").append(await prql.compile_query(query) + "\n")


@when("click", call)
async def compile_good_query():
    await show_compiled("from tracks | take 3")


@when("click", again)
async def compile_deep_query():
    await show_compiled(f"from tracks | derive x = {deep}")


prql = await workers["prql"]
await compile_good_query()
await compile_deep_query()
await compile_good_query()
call.disabled = again.disabled = False
