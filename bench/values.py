"""Runs inside Pyodide: measures conversions in both directions, against a call with two ints and a plain copy."""

import array
import asyncio
import dataclasses
import datetime
import json
import statistics
import time

import unpanic

GLUE = "/fixtures/values/pkg/abort/values.js"
MEGABYTE = 1_000_000
ROUNDS = 9


@dataclasses.dataclass
class Point:
    """A record."""

    x: int
    y: float


def per_turn_us(function, arguments, times):
    """Returns microseconds per call."""
    began = time.perf_counter()
    for _ in range(times):
        function(*arguments)
    return (time.perf_counter() - began) * 1e6 / times


def small(values):
    """Returns functions with their arguments, by name."""
    item = values.Item(1)
    return {
        "two ints": (values.add, (1, 2)),
        "`u8`, named": (values.named_u8, (1,)),
        "`i64`": (values.echo_i64, (5,)),
        "`i64` beyond 2**53": (values.echo_i64, (2**60,)),
        "`i128`": (values.echo_i128, (2**100,)),
        "`f64`": (values.echo_f64, (0.5,)),
        "`bool`": (values.echo_bool, (True,)),
        "`String`, 10 ASCII characters": (values.echo_string, ("abcdefghij",)),
        "`String`, 10 other characters": (values.echo_string, ("äöüäöüäöüé",)),
        "`Option<i32>`, None": (values.echo_option_i32, (None,)),
        "`Vec<u8>`, 8 bytes": (values.vec_u8, (b"abcdefgh",)),
        "`Vec<f64>`, 8 elements of an array": (values.vec_f64, (array.array("d", range(8)),)),
        "`Vec<f64>`, 8 elements of a list": (values.vec_f64, ([float(n) for n in range(8)],)),
        "`&mut [u8]`, 8 bytes": (values.double_u8, (bytearray(8), False)),
        "`Vec<String>`, 3 texts": (values.echo_strings, (["a", "b", "c"],)),
        "`JsValue`, int": (values.echo, (1,)),
        "`JsValue`, list of 3": (values.echo, ([1, 2, 3],)),
        "`JsValue`, dict of 2": (values.echo, ({"a": 1, "b": 2},)),
        "`JsValue`, dict with other keys": (values.echo, ({1: 1, 2: 2},)),
        "`JsValue`, dataclass": (values.echo, (Point(1, 0.5),)),
        "`JsValue`, set of 3": (values.echo, ({1, 2, 3},)),
        "`JsValue`, datetime": (values.echo, (datetime.datetime.now(datetime.UTC),)),
        "`JsValue`, object of a class": (values.echo, (item,)),
        "`&Function`, called once": (values.call, (abs, 1)),
        "a closure that came out": (values.adder(1), (1,)),
        "`iter` over 3 items, in": (lambda: values.collect_now(iter((1, 2, 3))), ()),
        "iterator of 3 items, out": (lambda: list(values.count(3)), ()),
    }


def large(values):
    """Returns functions with arguments of a megabyte, by name."""
    data = bytes(MEGABYTE)
    floats = array.array("d", bytes(MEGABYTE))
    return {
        "plain copy": (bytearray, (data,)),
        "1 MB of `bytes` into `&[u8]`": (values.length_u8, (data,)),
        "1 MB of `bytearray` into `&[u8]`": (values.length_u8, (bytearray(data),)),
        "1 MB of `memoryview` into `&[u8]`": (values.length_u8, (memoryview(data),)),
        "1 MB of `array('d')` into `&[f64]`": (values.length_f64, (floats,)),
        "1 MB of `array('f')` into `&[f64]`": (values.length_f64, (array.array("f", bytes(MEGABYTE // 2)),)),
        "1 MB of `Vec<u8>` out": (values.zeros_u8, (MEGABYTE,)),
        "1 MB of `Vec<f64>` out": (values.zeros_f64, (MEGABYTE // 8,)),
        "1 MB of `&mut [u8]`": (values.double_u8, (bytearray(data), False)),
    }


def measured(subjects, times):
    """Returns each subject's median time, and its median ratio to the first subject of the same round."""
    peer = next(iter(subjects))
    durations = {name: [] for name in subjects}
    for function, arguments in subjects.values():
        per_turn_us(function, arguments, times // 4)
    for _ in range(ROUNDS):
        for name, (function, arguments) in subjects.items():
            durations[name].append(per_turn_us(function, arguments, times))
    return {
        name: {
            "us": statistics.median(samples),
            "ratio": statistics.median(mine / theirs for mine, theirs in zip(samples, durations[peer], strict=True)),
        }
        for name, samples in durations.items()
    }


async def awaited(values, count):
    """Returns microseconds for each async conversion."""

    async def coroutine(value):
        return value

    async def items():
        for number in range(3):
            yield number

    async def gather(source):
        return [item async for item in source]

    subjects = {
        "`Promise`, in and awaited": lambda: values.wait_for(coroutine(1)),
        "async iterator of 3 items, in": lambda: values.collect(items()),
        "`ReadableStream` of 3 chunks, in": lambda: values.drain(items()),
        "async iterator of 3 items, out": lambda: gather(values.count_slowly(3, 0.0)),
    }
    medians = {}
    for name, begin in subjects.items():
        durations = []
        for _ in range(count):
            began = time.perf_counter()
            await begin()
            durations.append((time.perf_counter() - began) * 1e6)
            await asyncio.sleep(0)
        medians[name] = statistics.median(durations)
    return medians


async def main(scale):
    values = await unpanic.load(GLUE)
    numbers = measured(small(values), int(2_000 * scale))
    buffers = measured(large(values), max(4, int(20 * scale)))
    return json.dumps({"small": numbers, "large": buffers, "async": await awaited(values, max(3, int(30 * scale)))})
