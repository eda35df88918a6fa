"""Random sequences of operations, as Hypothesis makes and shrinks them; player.py says what each does."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.sequences.model import BLOCK_SIZE

PLACES = st.integers(0, 5)
NUMBERS = st.integers(-20, 20)
# Calls mostly end well. The dear ends (memory, a loop that is stopped) are rare.
GOOD_ENDS = st.sampled_from([0, 0, 0, 1])
BAD_ENDS = st.sampled_from([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 17, 18])
ENDS = st.one_of(GOOD_ENDS, BAD_ENDS)
ALL_ENDS = st.one_of(GOOD_ENDS, BAD_ENDS, BAD_ENDS, st.sampled_from([2, 2, 2, 12, 16]))
# A crash in an async call may reset the module, after which there is little left to compare.
ASYNC_ENDS = st.sampled_from([0] * 8 + [1, 1, 2, 6])
MAP_KEYS = st.integers(0, 6)
SIZES = st.sampled_from([0, 1, 10, 500, 5000])


def named(name, *arguments):
    return st.tuples(st.just(name), *arguments).map(list)


def stretch(draw_value):
    """A stretch of the block, and something else."""
    return st.tuples(st.integers(0, BLOCK_SIZE - 1), st.sampled_from([1, 3, 100, 1024, 4096, 9000]), draw_value).map(
        lambda drawn: [drawn[0], min(drawn[1], BLOCK_SIZE - drawn[0]), drawn[2]]
    )


STEP = st.one_of(
    named("count", NUMBERS),
    named("extend", NUMBERS, st.sampled_from([1, 2, 100, 2000])),
    named("cut", st.sampled_from([1, 5, 1000])),
    named("put", MAP_KEYS, SIZES),
    named("remove", MAP_KEYS),
    named("text", SIZES),
    named("value", st.integers(0, 7)),
    named("pop value"),
    named("clear values"),
    stretch(st.integers(0, 255)).map(lambda drawn: ["fill", *drawn]),
    stretch(st.integers(0, BLOCK_SIZE - 1)).map(
        lambda drawn: ["move", drawn[0], min(drawn[1], BLOCK_SIZE - drawn[2]), drawn[2]]
    ),
    st.tuples(st.integers(0, BLOCK_SIZE - 8), st.sampled_from([1, 2, 4, 8]), st.integers(0, 10**6)).map(
        lambda drawn: ["store", *drawn]
    ),
    st.integers(0, BLOCK_SIZE - 300).map(lambda at: ["bytes", 7, at]),
    named("cross", st.integers(0, 2), st.integers(1, 7), st.integers(0, 10**6)),
    named("scatter", st.integers(0, 900), st.integers(1, 60), st.integers(0, 10**6)),
    named("grow", st.integers(1, 20)),
)


def play(inner):
    """A call of `play`, whose callbacks do what `inner` says."""
    call = named("call", st.sampled_from([13, 13, 14, 15]), inner, st.booleans())
    return named("play", st.lists(st.one_of(STEP, STEP, call), max_size=5), ALL_ENDS)


def simple(inner):
    """What can be done anywhere."""
    return st.one_of(
        play(inner),
        play(inner),
        stretch(st.integers(0, 255)).flatmap(
            lambda drawn: st.tuples(st.integers(0, 3), ENDS).map(lambda more: ["write", more[0], *drawn, more[1]])
        ),
        named("item", st.sampled_from(["a", "bc", "d" * 100])),
        named("add", PLACES, NUMBERS, ENDS),
        named("lend", PLACES, inner, st.booleans(), ENDS),
        named("merge", PLACES, PLACES, ENDS),
        named("consume", PLACES, ENDS),
        named("store", st.integers(0, 2), st.lists(PLACES, min_size=1, max_size=3), ENDS),
        named("fetch"),
        named("free", PLACES),
        named("forget", PLACES),
        named("adder", NUMBERS, st.booleans()),
        named("drop_adder", ENDS),
        named("add_up", PLACES, st.integers(0, 20), ENDS),
        named("forget_adder", PLACES),
        named("look"),
        named("wait", ASYNC_ENDS),
        named("spawn"),
        named("checkpoint"),
        named("restore", PLACES),
        named("forget_checkpoint", PLACES),
    )


NOTHING = st.just([])
INNERMOST = st.lists(simple(NOTHING), max_size=2)
INNER = st.lists(simple(INNERMOST), max_size=3)
# What only the outermost can do.
OUTER = st.one_of(
    simple(INNER),
    simple(INNER),
    simple(INNER),
    named("turn"),
    named("settle", PLACES),
    named("pack", PLACES),
    named("unpack", PLACES),
    named("reset"),
)
ENDS_OF_TRANSACTIONS = st.sampled_from(["commit", "raise", "raise", "interrupt"])


def with_transactions(depth):
    """Operations, of which some are transactions, to a depth."""
    if depth == 0:
        return OUTER
    inside = st.lists(with_transactions(depth - 1), max_size=4)
    return st.one_of(OUTER, OUTER, OUTER, OUTER, named("transaction", inside, ENDS_OF_TRANSACTIONS))


# Most operations need something to work on.
BEGINNING = [
    ["item", "a"],
    ["item", "bc"],
    ["play", [["extend", 0, 100], ["put", 1, 500], ["value", 0]], 0],
    ["checkpoint"],
    ["add", 0, 3, 0],
    ["adder", 1, False],
]
SEQUENCES = st.tuples(
    st.integers(0, len(BEGINNING)).map(lambda count: BEGINNING[:count]),
    st.integers(0, 20).flatmap(lambda count: st.lists(with_transactions(2), min_size=count, max_size=count)),
).map(lambda parts: [*parts[0], *parts[1]])
