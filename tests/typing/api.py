"""The public API as users write it. This file is type-checked and never runs."""

import asyncio
from pathlib import Path
from types import ModuleType

import unpanic
from unpanic import service


async def loading() -> ModuleType:
    """Each form of `load` has its type."""
    await unpanic.load("/pkg/bank.js", wasm=b"", recovery="none", objects="stale", restart_budget=5, name="bank")
    await unpanic.load("/pkg/bank.js", progress=lambda loaded, total: print(loaded, total), spare=True)
    await unpanic.load("/pkg/bank.js", integrity="sha384-…", progress=False, types="/pkg/bank.d.ts")
    unpanic.load_sync("bank.js", types=Path("bank.d.ts"))
    unpanic.load_sync(Path("bank.js"), panic_hook=lambda panic: print(panic.location))
    return await unpanic.load(Path("bank.js"))


def hooks(bank: ModuleType) -> None:
    """Hooks get typed arguments."""

    def on_panic(panic: unpanic.RustPanic) -> None:
        if panic.location is not None:
            print(panic.location.file, panic.location.line + panic.location.column)

    def refill(module: ModuleType, crash: unpanic.Crash | None) -> None:
        print(module.__name__, crash.kind if crash else "reset")

    unpanic.set_panic_hook(bank, on_panic)
    unpanic.set_panic_hook(bank, None)
    unpanic.on_reset(bank, refill)
    drawing: unpanic.Timeline = unpanic.timeline(bank)
    drawing.save("bank.svg")
    unpanic.reset(bank)
    unpanic.unload(bank)


def failures(bank: ModuleType) -> str:
    """Exceptions have the attributes that the documentation lists."""
    status: unpanic.Status = unpanic.status(bank)
    try:
        bank.add(1, 2)
    except unpanic.Trap as trap:
        return trap.code
    except unpanic.Crash as crash:
        return ", ".join(frame.function for frame in crash.frames) + crash.javascript_stack
    except unpanic.CallInterrupted as interrupted:
        return str(interrupted.crash and interrupted.crash.recovery)
    except unpanic.FetchError as error:
        return f"{error.status} {error.url}"
    except unpanic.RustError as error:
        return repr(error.value)
    return f"{status.generation} {status.crashes['panic']}"


async def serving(bank: ModuleType) -> None:
    """Handlers get typed requests. Their result is checked at run time."""
    router = service.Router()

    @router.post("/accounts/{name}")
    async def deposit(request: service.Request, name: str) -> service.Response:
        text: str = await request.text()
        if request.method != "POST" or request.headers.get("x-token") is None:
            raise service.HTTPError(403, "not yours")
        return service.Response({name: text}, status=201, headers={"x-path": request.path})

    accounts: service.Keyed[str] = service.Keyed(bank.Account, lambda name: bank.Account(name, 100))
    accounts["ada"].deposit(50)
    async with await service.serve("/bank/", router, timeout=None, modules=[bank]) as server:
        print(server.prefix, len(accounts))
    await service.serve("/total/", lambda _: {"total": bank.total()}, worker="/sw.js")


if __name__ == "__main__":
    asyncio.run(loading())
