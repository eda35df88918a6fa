"""The instructions of a Wasm function, as far as calls are to be found among them."""

from collections.abc import Iterator

from ..wasm import Reader

__all__ = ["CALL", "CALL_INDIRECT", "UnknownInstruction", "calls"]

CALL, CALL_INDIRECT = 0x10, 0x11
# By what follows an instruction: so many integers, or so many bytes.
INTEGERS = {
    # unreachable, nop, else, end, return, drop, select, ref.is_null
    **dict.fromkeys((0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, 0xD1), 0),
    **dict.fromkeys((0x02, 0x03, 0x04), 1),  # block, loop, if: the type of the block
    **dict.fromkeys((0x0C, 0x0D, CALL, 0x12), 1),  # br, br_if, return_call
    **dict.fromkeys((CALL_INDIRECT, 0x13), 2),  # call_indirect, return_call_indirect
    **dict.fromkeys(range(0x20, 0x27), 1),  # variables and tables
    **dict.fromkeys(range(0x28, 0x3F), 2),  # loads and stores: alignment, offset
    **dict.fromkeys((0x3F, 0x40), 1),  # memory.size, memory.grow
    **dict.fromkeys((0x41, 0x42), 1),  # constants
    **dict.fromkeys(range(0x45, 0xC5), 0),  # arithmetic
    **dict.fromkeys((0xD0, 0xD2), 1),  # ref.null, ref.func
}
# try, catch, throw, rethrow, delegate, catch_all: the older exceptions, which not every engine knows.
EXCEPTIONS = {0x06: 1, 0x07: 1, 0x08: 1, 0x09: 1, 0x18: 1, 0x19: 0}
BYTES = {0x43: 4, 0x44: 8}  # constants of floats
SELECT, BRANCH_TABLE, PREFIX = 0x1C, 0x0E, 0xFC
# After the prefix: conversions, memory.init, data.drop, memory.copy, memory.fill, and what tables have.
PREFIXED = {**dict.fromkeys(range(8), 0), 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}


class UnknownInstruction(ValueError):
    """A function has an instruction that is not known here, such as one of SIMD."""


def calls(body: bytes, *, exceptions: bool) -> Iterator[tuple[int, int, int | None]]:
    """Yields the calls in a function's body: where each begins and ends, and the number of the function.

    A call through a table has no number.

    Args:
        body: the body, with its locals.
        exceptions: whether it may have instructions of the older exceptions.

    Raises:
        UnknownInstruction: what follows cannot be read.
    """
    reader = Reader(body, 0)
    for _ in range(reader.integer()):
        reader.integer()
        reader.value_type()
    while reader.position < len(body):
        start, instruction = reader.position, reader.byte()
        if instruction in BYTES:
            reader.position += BYTES[instruction]
        elif instruction in (SELECT, BRANCH_TABLE):
            for _ in range(reader.integer() + (instruction == BRANCH_TABLE)):
                reader.integer()
        else:
            count = INTEGERS.get(instruction)
            if instruction == PREFIX:
                count = PREFIXED.get(reader.integer())
            elif exceptions:
                count = EXCEPTIONS.get(instruction, count)
            if count is None:
                raise UnknownInstruction(f"the instruction {instruction:#x}")
            numbers = [reader.integer() for _ in range(count)]
            if instruction in (CALL, CALL_INDIRECT):
                yield start, reader.position, numbers[0] if instruction == CALL else None
