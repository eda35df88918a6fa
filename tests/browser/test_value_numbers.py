"""Integers of every width, with and without a named type, and texts that no Rust string can hold."""

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])
WIDTHS = {"8": 8, "16": 16, "32": 32, "64": 64, "128": 128, "size": 32}


def limits():
    """Returns [function, lowest, highest] for each parameter whose declaration names its Rust type."""
    rows = []
    for name, bits in WIDTHS.items():
        rows.append((f"named_u{name}", 0, 2**bits - 1))
        if name != "size":
            rows.append((f"named_i{name}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    return rows


async def call_at_limits(build):
    values = await load(build, "values")
    found = []
    for name, low, high in limits():
        function = getattr(values, name)
        fits = [function(number) == number for number in (low, 0, 1, high)]
        errors = [caught(function, number) for number in (low - 1, high + 1, 2**200, 1.5, "1", None)]
        found.append([name, all(fits), [type(error).__name__ for error in errors], str(errors[1])])
    return found


@EACH_BUILD
def test_a_named_rust_type_has_its_exact_range(py, build):
    """For a declared u8 or i128 nothing wraps: the limits pass, and one beyond raises an OverflowError."""
    expected = ["OverflowError"] * 3 + ["TypeError"] * 3
    for name, fits, errors, text in py.run(call_at_limits, build=build):
        assert (name, fits, errors) == (name, True, expected)
        assert text.startswith(f"{name}() argument 'value': ")


async def call_with_128_bits(build):
    values = await load(build, "values")
    numbers = [0, 1, -1, 2**63, 2**64, -(2**64), 2**126 + 12345, -(2**127), 2**127 - 1]
    signed = [values.echo_i128(number) == number for number in numbers]
    unsigned = [values.echo_u128(number) == number for number in (0, 2**64 + 5, 2**127, 2**128 - 1)]
    optional = [values.echo_option_i128(-5), values.echo_option_i128(), values.echo_option_u128(2**100) == 2**100]
    error = caught(values.echo_u128, 2**128)
    return [signed, unsigned, optional, values.text_of_u128(2**100 + 1) == str(2**100 + 1), str(error)]


@EACH_BUILD
def test_128_bits(py, build):
    """`i128` and `u128` are ints, and a number that needs more than 128 bits is refused."""
    signed, unsigned, optional, text, error = py.run(call_with_128_bits, build=build)
    assert (all(signed), all(unsigned), optional, text) == (True, True, [-5, None, True], True)
    assert error.startswith(f"echo_u128() argument 'value': {2**128} does not fit a 128-bit integer")


def options():
    numbers = {"u8": 255, "i32": -1, "u32": 2**32 - 1, "i64": -(2**63), "u64": 2**64 - 1, "f32": 0.5, "f64": 0.1}
    return {**numbers, "bool": False, "char": "é", "string": ""}


async def call_with_options(build):
    values = await load(build, "values")
    found = {}
    for name, value in options().items():
        function = getattr(values, f"echo_option_{name}")
        found[name] = [function(value), function(None), function()]
    return found


@EACH_BUILD
def test_option(py, build):
    """None or a missing argument is an absent `Option` of any type, and a present value stays as it is."""
    assert py.run(call_with_options, build=build) == {name: [value, None, None] for name, value in options().items()}


async def pass_lone_surrogates():
    values = await load("abort", "values")
    given = ["a\ud800", ["\ud800"], {"a": {"\udfff": 1}}, {"k": ("x", "\ud800")}]
    errors = [caught(values.echo, value) for value in given]
    errors += [caught(values.echo_string, given[0]), caught(values.echo_strings, given[1])]
    errors += [caught(values.lone_surrogate), caught(values.javascript, "[1, ['\\ud800']]")]
    return [[type(error).__name__ for error in errors], values.echo(["é🦀", "\0"])]


def test_a_lone_surrogate_is_refused(py):
    """Half of a surrogate pair is refused in both directions, at any depth; whole pairs pass."""
    assert py.run(pass_lone_surrogates) == [["UnicodeEncodeError"] * 8, ["é🦀", "\0"]]


async def pass_the_mark():
    values = await load("abort", "values")
    errors = [caught(values.echo_option_u8, value) for value in (0xFFFFFF, 2**16, -(2**15) - 1, 1.5)]
    return [[f"{type(error).__name__}: {error}" for error in errors], values.echo_option_i32(0xFFFFFF)]


def test_the_mark_of_an_absent_option_is_refused(py):
    """The number that stands for an absent `Option<u8>` is refused. The glue treats `u8` and `i16` alike."""
    place = "echo_option_u8() argument 'value': "
    errors = [
        f"OverflowError: {place}{n} does not fit a 16-bit integer (-32768 to 65535)"
        for n in (0xFFFFFF, 2**16, -(2**15) - 1)
    ]
    errors.append(f"TypeError: {place}'float' object cannot be interpreted as an integer")
    assert py.run(pass_the_mark) == [errors, 0xFFFFFF]
