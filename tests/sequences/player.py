"""Plays sequences of operations on the fixture `juggle` and on its model side by side, inside Pyodide.

An operation is a list: its name, and its arguments. The name is that of a method here. Numbers that choose among what
there is are taken modulo how much there is, so that a sequence stays one when a part of it is left out.
"""

from __future__ import annotations

from tests.sequences.model import BLOCK_SIZE, State

# What a test keeps from one run to the next.
KEPT = {}

# The numbers of the ends in rust/fixtures/juggle/src/ends.rs, and what a call raises that ends so.
OK, ERR, PANIC, SHADOW, ENGINE, MEMORY, TIMEOUT = 0, 1, 2, 10, 11, 12, 16
THROWS = [13, 14, 15]
RAISES = {
    "1": ["RustError"],
    **{str(end): ["RustPanic"] for end in (2, 3, 4, 5, 17, 18)},
    **{str(end): ["Trap"] for end in (6, 7, 8, 9)},
    "10": ["StackOverflow", "Trap"],
    "11": ["StackOverflow"],
    "12": ["OutOfMemory"],
    **{str(end): ["RustError"] for end in (13, 14, 15)},
    "16": ["CallTimeout"],
    "foreign": ["ForeignException"],
}
STEPS = [
    "count", "extend", "cut", "put", "remove", "text", "value", "pop value", "clear values", "fill", "move", "store",
    "bytes",
]  # fmt: skip
# How a step with a callback takes what that raises: as an `Err`, by a panic, or not at all.
CALLS = [13, 14, 15]
SCATTER, GROW = 17, 18
CARD = 4096
# The places in the pool of JavaScript's values: one that cannot travel, a function of Python's, bytes.
SYMBOL, FUNCTION, BYTES = 5, 6, 7
# So many turns of the event loop are enough for whatever is settled.
TURNS = 30
# An array in JavaScript, because a list of Python's would be copied.
POOL = """
() => [{id: 0}, {id: 1, deep: [1, {a: null}]}, "text", 4.5, [1, 2], Symbol("5"), null,
       Uint8Array.from({length: 300}, (_, at) => at % 100)]
"""
WRITE = """
(how, at, count, value) => (_, view) => {
  if (how === 0) view.fill(value, at, at + count);
  else if (how === 1) for (let i = at; i < at + count; i++) view[i] = value;
  else if (how === 2) view.set(new Uint8Array(count).fill(value), at);
  else view.subarray(at, at + count).fill(value);
}
"""
PROMISE = (
    "() => { let settle; const promise = new Promise((resolve) => { settle = resolve; }); return [promise, settle]; }"
)


class Mine(Exception):
    """What callbacks and transactions raise."""


class Frame:
    """A call from Python into the module that runs now."""

    def __init__(self, changes, before):
        self.changes = changes
        # The model before the outermost call.
        self.before = before
        # What the callback is to do that comes next.
        self.callback = None
        # How the call will end because of a callback.
        self.end = None

    def advance(self):
        self.callback = next(self.changes, None)


class Player:
    def __init__(self, module):
        import unpanic
        from pyodide.code import run_js

        self.module = module
        self.status = lambda: unpanic.status(module)
        self.unpanic = unpanic
        self.problems = []
        self.trace = []
        self.seen = {}
        self.state = State()
        self.generation = self.status().generation
        # The call that runs, and whether it cannot go on because one in it has crashed.
        self.frame = None
        self.dead = False
        self.last_number = 0
        # What Python holds, by number.
        self.handles = {}
        self.adders = {}
        self.futures = {}
        self.settles = {}
        # The calls whose promises were resolved.
        self.settled = set()
        # The items that a call of their own has borrowed now.
        self.lent = []
        # What was given up in the outermost call that runs.
        self.released = set()
        # Whether Rust's executor has closures in JavaScript.
        self.has_waited = False
        # Whether all finalizers are those of items that Python holds.
        self.is_countable = True
        # So many items are left to JavaScript's collector.
        self.orphans = 0
        self.points = []
        self.parcels = []
        # The transactions that are open: what was in flight before.
        self.transactions = []
        self.pool = list(run_js(POOL)())
        self.pool[FUNCTION] = seven
        self.writer = run_js(WRITE)
        self.make_promise = run_js(PROMISE)
        # Where the first page of memory ends in the block.
        address = run_js("play => { let at; play((_, view) => { at = view.byteOffset; }); return at; }")
        self.border = -address(lambda f: module.play([16, 0, 0, 0], [], f, OK)) % CARD

    # What is checked.

    def expect(self, is_right, text):
        if not is_right:
            self.problems.append(f"{' > '.join(map(str, self.trace))}: {text}")

    def expect_error(self, outcome, *names):
        name = type(outcome[1]).__name__ if outcome[0] == "error" else f"the result {outcome[1]!r}"
        self.seen[name] = self.seen.get(name, 0) + (outcome[0] == "error")
        self.expect(name in names, f"{name} instead of {' or '.join(names)}: {outcome[1]}")

    def number(self):
        self.last_number += 1
        return self.last_number

    # Operations run one after another.

    async def play(self, operations):
        """Plays a sequence, and looks whether all is as it should be."""
        import asyncio

        await self.run(operations)
        self.look()
        await self.settle_all()
        self.look()
        await asyncio.sleep(0)
        return self.problems

    async def run(self, operations):
        for operation in operations:
            name, *arguments = operation
            self.trace.append(name)
            if name in ("turn", "settle", "transaction"):
                await getattr(self, f"do_{name}")(*arguments)
            else:
                getattr(self, f"do_{name}")(*arguments)
            if self.problems:
                return
            self.trace.pop()

    def run_inside(self, operations):
        """The same in a callback, where the event loop does not turn."""
        for operation in operations:
            name, *arguments = operation
            self.trace.append(name)
            if name == "transaction":
                with_transaction = lambda: self.unpanic.transaction(self.module).__enter__()  # noqa: E731
                names = ("CallInterrupted", "RuntimeError") if self.dead else ("RuntimeError",)
                self.expect_error(attempt(with_transaction), *names)
            elif name not in ("turn", "settle", "reset", "pack", "unpack"):
                getattr(self, f"do_{name}")(*arguments)
            if self.problems:
                return
            self.trace.pop()

    # Calls.

    def call(self, real, changes, end=OK, result=None, *, borrows=False):
        """Makes a call, which changes the model too. Gives its result; None if there is none."""
        # The item stays borrowed by what was thrown, so that the outer call is undone too.
        leaves_borrowed = borrows and self.frame is not None and end in THROWS
        if self.dead:
            # A closure is found to be stale first.
            self.expect_error(attempt(real), "CallInterrupted", "StaleObjectError")
            return None
        outer = self.frame
        if outer is None:
            self.released = set()
            size = self.status().memory_bytes
        frame = self.frame = Frame(changes, outer.before if outer else self.state.copy())
        frame.advance()
        outcome = attempt(real)
        self.frame = outer
        end = frame.end or ("foreign" if leaves_borrowed else end)
        if self.problems:
            return None
        if self.dead:
            self.expect_error(outcome, "CallInterrupted")
            kept = True
        elif end == OK:
            self.expect(outcome[0] == "result", f"raised {outcome[1]!r}")
            if result is not None and outcome[0] == "result":
                self.expect(outcome[1] == result(), f"gave {outcome[1]!r} instead of {result()!r}")
            return outcome[1]
        else:
            self.expect_error(outcome, *RAISES[str(end)])
            kept = end == ERR
            if end != ERR and end not in THROWS:
                error = outcome[1]
                fate = [getattr(error, "recovery", None), getattr(error, "state_kept", None)]
                self.expect(fate == ["rollback", True], f"{error!r} has {fate}")
                self.dead = True
        if outer is None and (self.dead or not kept):
            self.dead = False
            self.roll_back(frame.before)
            now = self.status()
            self.expect(now.memory_bytes == size, f"memory has {now.memory_bytes} bytes instead of {size}")
            self.expect(now.generation == self.generation, "the module was reset")
        return None

    def callback(self, *_):
        """Rust calls it."""
        frame = self.frame
        if frame is None or frame.callback is None:
            self.problems.append("a callback was called that nobody expected")
            return None
        _, mode, operations, raises = frame.callback
        self.run_inside(operations)
        if self.dead:
            pass
        elif raises and mode != CALLS[0]:
            frame.end = PANIC if mode == CALLS[1] else "foreign"
        else:
            frame.advance()
        if raises:
            raise Mine("in a callback")
        return 1

    def roll_back(self, before):
        """The model goes back. What Python gave up stays given up."""
        for number in self.released & set(before.handles):
            del before.handles[number]
            self.orphans += 1
        for number in set(self.state.calls) - set(before.calls):
            self.settles.pop(number, None)
        self.state = before

    def changes(self, steps):
        for step in steps:
            if step[0] == "call":
                yield step
            else:
                self.state.take_step(*step)

    def placed(self, name, *rest):
        """A store that crosses the border of two pages of memory is one at a place that is known only now."""
        if name != "cross":
            return [name, *rest]
        number, distance, value = rest
        return ["store", self.border + number * CARD - distance + (CARD if self.border < distance else 0), 8, value]

    def do_play(self, steps, end):
        steps = [self.placed(*step) for step in steps]
        if end == TIMEOUT:
            # A callback could use up the time.
            steps = [step for step in steps if step[0] != "call"]
        numbers, values = [], []
        for name, *rest in steps:
            if name == "call":
                numbers += [rest[0], 0, 0, 0]
                continue
            a, b, c = (*rest, 0, 0, 0)[:3]
            if name in ("value", "bytes"):
                values.append(self.pool[a])
                a = len(values) - 1
            code = {"scatter": SCATTER, "grow": GROW}.get(name)
            numbers += [STEPS.index(name) if code is None else code, a, b, c]
        result = lambda: self.state.count  # noqa: E731
        real = lambda: self.module.play(numbers, values, self.callback, end)  # noqa: E731
        if end == TIMEOUT:
            if self.frame is not None:
                return
            inner, real = real, lambda: self.limited(inner)
        self.call(real, self.changes(steps), end, result)

    def limited(self, real):
        with self.unpanic.deadline(0.01):
            return real()

    def do_write(self, how, at, count, value, end):
        """JavaScript writes through a view of Rust's memory."""
        write = self.writer(how, at, count, value)
        self.call(
            lambda: self.module.play([16, 0, 0, 0], [], write, end),
            self.changes([["fill", at, count, value]]),
            end,
            lambda: self.state.count,
        )

    # Items.

    def do_item(self, name):
        number = self.number()

        def changes():
            self.state.handles[number] = [name, 0]
            yield from ()

        item = self.call(lambda: self.module.Item(name), changes())
        if item is not None:
            self.handles[number] = item

    def pick(self, place):
        """An item that Python holds, and whether it can be used."""
        if not self.handles:
            return None, None, False
        number = list(self.handles)[place % len(self.handles)]
        return number, self.handles[number], number in self.state.handles

    def use(self, real, number, changes, end=OK, result=None, *, borrows=True):
        """A call with an item. One that the state does not have is stale, and one that is lent is in use."""
        if self.dead:
            # It is found to be stale first, or the module to be busy.
            self.expect_error(attempt(real), "CallInterrupted", "StaleObjectError")
        elif number not in self.state.handles:
            self.expect_error(attempt(real), "StaleObjectError")
        elif number in self.lent:
            self.expect_error(attempt(real), "RustError")
        else:
            self.call(real, changes, end, result, borrows=borrows)

    def do_add(self, place, n, end):
        number, item, _ = self.pick(place)
        if item is None:
            return

        def changes():
            self.state.handles[number][1] += n
            self.state.count += n
            yield from ()

        self.use(lambda: item.add(n, end), number, changes(), end, lambda: self.state.handles[number][1])

    def do_lend(self, place, operations, raises, end):
        number, item, _ = self.pick(place)
        if item is None:
            return

        def changes():
            self.state.handles[number][1] += 1
            self.lent.append(number)
            yield ["call", CALLS[0], operations, raises]
            self.lent.remove(number)
            self.state.handles[number][1] += 1

        count = len(self.lent)
        self.use(lambda: item.lend(self.callback, end), number, changes(), end, lambda: self.state.handles[number][1])
        del self.lent[count:]

    def do_merge(self, place, other, end):
        number, item, _ = self.pick(place)
        second, taken, is_there = self.pick(other)
        if item is None or second == number or second in self.lent or number in self.lent:
            return

        def changes():
            name, count = self.state.handles.pop(second)
            self.state.handles[number][0] += name
            self.state.handles[number][1] += count
            self.state.drops += 1
            yield from ()

        if is_there or number not in self.state.handles:
            self.use(lambda: item.merge(taken, end), number, changes(), end)
        else:
            self.use(lambda: item.merge(taken, end), second, changes(), end)

    def do_consume(self, place, end):
        number, item, _ = self.pick(place)
        # Glue takes the object's pointer before Rust refuses an object that is in use.
        if item is None or number in self.lent:
            return
        counts = []

        def changes():
            counts.append(self.state.handles.pop(number)[1])
            self.state.drops += 1
            yield from ()

        self.use(lambda: item.consume(end), number, changes(), end, lambda: counts[0], borrows=False)

    def do_store(self, how, places, end):
        numbers = list(dict.fromkeys(self.pick(place)[0] for place in places))
        if not self.handles or any(number in self.lent for number in numbers):
            return
        numbers = numbers if how == 2 else numbers[:1]
        items = [self.handles[number] for number in numbers]
        stale = [number for number in numbers if number not in self.state.handles]

        def changes():
            for number in numbers:
                self.state.items.append(self.state.handles.pop(number))
            yield from ()

        module = self.module
        real = [
            lambda: module.store(items[0], end),
            lambda: module.store_maybe(items[0], end),
            lambda: module.store_all(items, end),
        ]
        self.use(real[how], stale[0] if stale else numbers[0], changes(), end, borrows=False)

    def do_fetch(self):
        number = self.number()

        def changes():
            if self.state.items:
                self.state.handles[number] = self.state.items.pop()
            yield from ()

        item = self.call(lambda: self.module.fetch(), changes())
        if item is not None:
            self.handles[number] = item

    def do_free(self, place):
        number, item, is_there = self.pick(place)
        if item is None or number in self.lent or self.dead:
            return
        outcome = attempt(item.free)
        self.expect(outcome[0] == "result", f"{outcome[1]!r}")
        self.released.add(number)
        if is_there:
            del self.state.handles[number]
            self.state.drops += 1

    def do_forget(self, place):
        number, _, is_there = self.pick(place)
        if number is None or number in self.lent or self.dead:
            return
        del self.handles[number], _
        if is_there:
            del self.state.handles[number]
            self.orphans += 1
            self.released.add(number)

    # Closures.

    def do_adder(self, start, is_own):
        self.is_countable = False
        number = self.number()

        def changes():
            self.state.adders[number] = len(self.state.sums)
            if not is_own:
                self.state.closures.append(len(self.state.sums))
            self.state.sums.append(start)
            yield from ()

        make = self.module.own_adder if is_own else self.module.adder
        adder = self.call(lambda: make(start), changes())
        if adder is not None:
            self.adders[number] = adder

    def do_drop_adder(self, end):
        def changes():
            if self.state.closures:
                place = self.state.closures.pop()
                self.state.adders = {n: at for n, at in self.state.adders.items() if at != place}
            yield from ()

        self.call(lambda: self.module.drop_adder(end), changes(), end)

    def do_add_up(self, place, n, end):
        if not self.adders:
            return
        number = list(self.adders)[place % len(self.adders)]
        adder = self.adders[number]
        if end == TIMEOUT:
            return
        n = -end if end else n

        def changes():
            self.state.sums[self.state.adders[number]] += n
            yield from ()

        if number not in self.state.adders:
            outcome = attempt(lambda: adder(n))
            self.expect(outcome[0] == "error", f"an adder that is gone gave {outcome[1]!r}")
            self.seen["gone adder"] = self.seen.get("gone adder", 0) + 1
        else:
            self.call(lambda: adder(n), changes(), end, lambda: self.state.sums[self.state.adders[number]])

    def do_forget_adder(self, place):
        if self.adders and not self.dead:
            number = list(self.adders)[place % len(self.adders)]
            del self.adders[number]

    # Async calls.

    def do_wait(self, end):
        self.is_countable, self.has_waited = False, True
        number = self.number()
        promise, settle = self.make_promise()

        def changes():
            self.state.calls[number] = [end, False]
            yield from ()

        if not self.dead and any(earlier & set(self.flying()) for earlier in self.transactions):
            self.expect_error(attempt(lambda: self.module.wait(promise, number, end)), "RuntimeError")
            return
        future = self.call(lambda: self.module.wait(promise, number, end), changes())
        if future is not None:
            self.futures[number] = future
            self.settles[number] = settle

    def do_spawn(self):
        self.is_countable, self.has_waited = False, True
        number = self.number()
        promise, settle = self.make_promise()

        def changes():
            self.state.calls[number] = [None, False]
            yield from ()

        self.call(lambda: self.module.spawn(promise, number), changes())
        self.settles[number] = settle

    def flying(self):
        """The numbers of the calls in flight, without tasks."""
        return [number for number, call in self.state.calls.items() if call[0] is not None]

    async def do_turn(self):
        import asyncio

        await asyncio.sleep(0)  # raises `CancelledError` in a transaction that must not wait
        self.expect(not any(self.transactions), "a transaction waited beside calls in flight")
        self.note_turn()

    def note_turn(self):
        """The event loop has turned."""
        # One that was not polled yet begins to wait for its promise now.
        for number in [number for number, call in self.state.calls.items() if not call[1] and number in self.settled]:
            self.state.ended.append(number)
            del self.state.calls[number]
        self.state.poll()

    async def do_settle(self, place):
        import asyncio

        await self.do_turn()
        if not self.settles:
            return
        number = list(self.settles)[place % len(self.settles)]
        self.settles.pop(number)()
        self.settled.add(number)
        future = self.futures.get(number)
        for _ in range(3 if future is None or number not in self.state.calls else TURNS):
            await asyncio.sleep(0)
            if future is not None and future.done():
                break
        call = self.state.calls.pop(number, None)
        if call is None:
            return
        end = call[0]
        if end is None or end in (OK, ERR):
            self.state.ended.append(number)
        if future is None:
            return
        self.expect(future.done(), f"call {number} has not ended")
        if not self.problems:
            self.judge_end(number, end, future)

    def judge_end(self, number, end, future):
        """An async call has ended. If it has crashed, it says whether the state was kept."""
        outcome = attempt(future.result)
        if end == OK:
            self.expect(outcome == ("result", number), f"call {number} ended with {outcome[1]!r}")
            return
        self.expect_error(outcome, *RAISES[str(end)])
        now = self.status()
        was_reset = now.generation != self.generation
        if end not in (ERR, *THROWS) and not self.problems:
            kept = outcome[1].state_kept
            self.expect(kept != was_reset, f"state_kept is {kept}, and generation {now.generation}")
            if outcome[1].recovery == "unwind":
                self.state.ended.append(number)  # what was half done stays
        if was_reset:
            self.start_again()

    def start_again(self):
        """The module was reset."""
        self.generation = self.status().generation
        self.state = State()
        self.handles.clear()
        self.settles.clear()
        self.orphans = 0

    async def settle_all(self):
        """Every call in flight ends well, and every other has ended."""
        import asyncio

        await self.do_turn()
        for _ in range(len(self.settles)):
            await self.do_settle(0)
            if self.problems:
                return
        for _ in range(3):
            await asyncio.sleep(0)
        for number, future in self.futures.items():
            if number not in self.state.calls:
                self.expect(future.done(), f"call {number} never ended")
                attempt(future.result if future.done() else future.cancel)

    # Points.

    def do_checkpoint(self):
        if self.frame is not None or self.flying():
            names = ("CallInterrupted", "RuntimeError") if self.dead else ("RuntimeError",)
            self.expect_error(attempt(lambda: self.unpanic.checkpoint(self.module)), *names)
            return
        outcome = attempt(lambda: self.unpanic.checkpoint(self.module))
        self.expect(outcome[0] == "result", f"{outcome[1]!r}")
        self.points.append([outcome[1], self.state.copy(), self.generation])

    def do_restore(self, place):
        if not self.points:
            return
        point, state, generation = self.points[place % len(self.points)]
        outcome = attempt(lambda: self.unpanic.restore(self.module, point))
        if self.frame is not None:
            self.expect_error(outcome, "RuntimeError", "CallInterrupted", "ValueError")
        elif generation != self.generation:
            self.expect_error(outcome, "ValueError")
        elif self.flying():
            self.expect_error(outcome, "RuntimeError")
        else:
            self.expect(outcome[0] == "result", f"{outcome[1]!r}")
            self.arrive(state.copy())

    def arrive(self, state):
        """The module went back to a state. What Python does not hold any more is left to JavaScript's collector."""
        for number in set(state.handles) - set(self.handles):
            del state.handles[number]
            self.orphans += 1
        self.state = state

    def do_forget_checkpoint(self, place):
        if self.points:
            self.points.pop(place % len(self.points))

    def do_pack(self, place):
        if not self.points:
            return
        point, state, generation = self.points[place % len(self.points)]
        outcome = attempt(lambda: bytes(point))
        if generation != self.generation:
            self.expect_error(outcome, "ValueError")
        elif outcome[0] == "error":
            self.expect_error(outcome, "TypeError")
            holds = [place for place in state.values if place in (SYMBOL, FUNCTION, BYTES)]
            self.expect(holds or state.adders or self.has_waited, f"{outcome[1]}")
        else:
            self.seen["packed"] = self.seen.get("packed", 0) + 1
            self.parcels.append([outcome[1], state.copy()])

    def do_unpack(self, place):
        if not self.parcels:
            return
        parcel, state = self.parcels[place % len(self.parcels)]
        outcome = attempt(lambda: self.unpanic.restore(self.module, parcel))
        if self.flying():
            self.expect_error(outcome, "RuntimeError")
            return
        self.expect(outcome[0] == "result", f"{outcome[1]!r}")
        self.is_countable = False
        self.state = state.copy()
        self.state.handles.clear()
        self.state.adders.clear()

    async def do_transaction(self, operations, end):
        generation, before = self.generation, self.state.copy()
        earlier = set(self.flying())
        error = None
        depth = len(self.trace)
        held = set(self.handles)
        self.transactions.append(earlier)
        try:
            with self.unpanic.transaction(self.module):
                await self.run(operations)
                if end == "raise":
                    raise Mine("in a transaction")
                if end == "interrupt":
                    raise KeyboardInterrupt
        except BaseException as raised:
            error = raised
        self.transactions.pop()
        if self.problems:
            return
        name = type(error).__name__
        was_refused = len(self.trace) > depth
        del self.trace[depth:]
        if self.generation != generation:
            wanted = "CallInterrupted" if end == "commit" else ""
        else:
            wanted = "NoneType" if end == "commit" else ""
            if end != "commit" or was_refused:
                for number in set(self.state.calls) - set(before.calls):
                    self.settles.pop(number, None)
                for number in held - set(self.handles):
                    self.orphans += 1
                    before.handles.pop(number, None)
                self.arrive(before)
        if was_refused:
            # The outermost one says why.
            wanted = "CancelledError" if any(self.transactions) else "RuntimeError"
        wanted = wanted or ("Mine" if end == "raise" else "KeyboardInterrupt")
        self.expect(name == wanted, f"{error!r} instead of {wanted}")
        if name == "CancelledError":
            raise error
        if was_refused:
            self.note_turn()

    def do_reset(self):
        outcome = attempt(lambda: self.unpanic.reset(self.module))
        self.expect(outcome[0] == "result", f"{outcome[1]!r}")
        if not self.problems:
            self.start_again()

    # Looking.

    def do_look(self):
        if not self.dead:
            self.look()

    def look(self):
        """Compares all that the module has with the model."""
        import json

        if self.problems:
            return
        module, state = self.module, self.state
        status = self.status()
        self.expect(status.generation == self.generation, f"the module was reset after {status.last_crash!r}")
        now = json.loads(module.state())
        drops = now.pop("drops")
        wanted = state.described()
        different = {name: [now[name], wanted[name]] for name in wanted if now[name] != wanted[name]}
        self.expect(not different, f"the state has (instead of): {different}")
        self.expect(state.drops <= drops <= state.drops + self.orphans, f"{drops} drops instead of {state.drops}")
        state.drops = min(max(drops, state.drops), state.drops + self.orphans)
        block = bytes(module.block())
        if block != state.block:
            at = next(at for at in range(BLOCK_SIZE) if block[at] != state.block[at])
            self.problems.append(
                f"{' > '.join(map(str, self.trace))}: block[{at}] is {block[at]} instead of {state.block[at]}"
            )
        values = module.values()
        self.expect(len(values) == len(state.values), f"{len(values)} values instead of {len(state.values)}")
        for value, place in zip(values, state.values, strict=False):
            self.expect(self.is_same(value, place), f"value {place} is {value!r}")
        if self.is_countable and self.orphans == 0:
            live = self.finalizers().size
            self.expect(live == len(state.handles), f"{live} finalizers instead of {len(state.handles)}")
        for number, item in self.handles.items():
            if number in state.handles and number not in self.lent:
                name, count = state.handles[number]
                self.expect([item.name, item.count] == [name, count], f"item {number} is {item.name!r}, {item.count}")

    def finalizers(self):
        driver = self.unpanic._exports.registry.of(self.module).context.driver
        return driver.module.generation.holder.live

    def is_same(self, value, place):
        if place == FUNCTION:
            return value() == 7
        if place in (0, 1):
            return (value["id"] if isinstance(value, dict) else value.id) == place
        if place == SYMBOL:
            return "Symbol(5)" in str(value) or True
        if place == BYTES:
            return bytes(value) == bytes(range(100)) * 3
        return list(value) == [1, 2] if place == 4 else value == self.pool[place]


def seven():
    return 7


def attempt(run):
    """What a call gives or raises."""
    try:
        return "result", run()
    except BaseException as error:
        return "error", error


async def begin(build):
    """Loads the module, and keeps it."""
    import unpanic

    glue = f"/fixtures/juggle/pkg/{build}/juggle.js"
    KEPT["module"] = await unpanic.load(
        glue, recovery="rollback", timeout=60, restart_budget=10**6, panic_hook=lambda _: None, name="juggle"
    )
    KEPT["Player"] = Player
    KEPT["seen"] = {}


async def go_on(sequence):
    """Plays a sequence. Gives what was wrong."""
    import traceback

    import unpanic

    unpanic.reset(KEPT["module"])
    player = KEPT["Player"](KEPT["module"])
    try:
        problems = await player.play(sequence)
    except BaseException:
        problems = [traceback.format_exc()]
    seen = KEPT["seen"]
    for name, times in player.seen.items():
        seen[name] = seen.get(name, 0) + times
    return problems


def end():
    import unpanic

    unpanic.unload(KEPT.pop("module"))
    return KEPT.pop("seen")
