"""Packages for pictures."""

import struct
import zlib

from tests.compat.package import Package


def png(width, height, filtered):
    """Returns a PNG of 8-bit RGBA with these filtered scan lines, which may not fit its size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, chunks))


def png_chunk(chunk):
    name, data = chunk
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def oxipng_use(module):
    red = b"\xff\x00\x00\xff"
    small = module.optimise(png(64, 64, (b"\x00" + red * 64) * 64), 2, False)
    return [small[1:4].decode(), len(small) < 150]


def oxipng_crash(module):
    module.optimise(png(0x7FFFFFFF, 0x7FFFFFFF, bytes(5)), 2, False)


def resize_use(module):
    return list(module.resize(bytes([10, 20, 30, 255, 30, 40, 50, 255]), 2, 1, 1, 1, 0, False, False))


def resize_crash(module):
    module.resize(bytes(4), 1, 1, 2, 1, 99, False, False)


SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}"><rect width="9" height="9" fill="red"/></svg>'
)


def resvg_use(module):
    picture = module.Resvg(SQUARE.format(2)).render()
    return [picture.width, list(picture.pixels[:4])]


def resvg_crash(module):
    module.Resvg(SQUARE.format(30_000)).render()


def resvg_keep(module):
    return module.Resvg(SQUARE.format(7))


def resvg_ask(_module, picture):
    return picture.width


def c2pa_use(module):
    builder = module.WasmBuilder.from_json('{"title": "a picture"}')
    builder.add_assertion("org.example", {"a": 1})
    manifest = builder.get_definition()
    return [manifest["title"], manifest["assertions"][0]["label"]]


def c2pa_crash(module):
    from pyodide.code import run_js

    nested = run_js("let nested = []; for (let depth = 0; depth < 20_000; depth++) nested = [nested]; nested")
    module.WasmBuilder.from_json("{}").add_assertion("org.example", nested)


PACKAGES = [
    Package(
        folder="@jsquash/oxipng",
        glue="codec/pkg/squoosh_oxipng.js",
        wasm="codec/pkg/squoosh_oxipng_bg.wasm",
        use=oxipng_use,
        gives=["PNG", True],
        crash=oxipng_crash,
        how="a PNG of 2³¹ by 2³¹ pixels",
        raises=("Trap",),
    ),
    Package(
        folder="@jsquash/resize",
        glue="lib/resize/pkg/squoosh_resize.js",
        wasm="lib/resize/pkg/squoosh_resize_bg.wasm",
        use=resize_use,
        gives=[20, 30, 40, 255],
        crash=resize_crash,
        how="a filter that does not exist",
        raises=("Trap",),
    ),
    Package(
        folder="@resvg/resvg-wasm",
        glue="index.mjs",
        wasm="index_bg.wasm",
        use=resvg_use,
        gives=[2, [255, 0, 0, 255]],
        crash=resvg_crash,
        how="a picture of 30,000 by 30,000 pixels",
        raises=("Trap",),
        keep=resvg_keep,
        ask=resvg_ask,
        answers=(7, 7),
    ),
    Package(
        folder="@contentauth/c2pa-wasm",
        glue="pkg/c2pa.js",
        wasm="pkg/c2pa_bg.wasm",
        use=c2pa_use,
        gives=["a picture", "org.example"],
        crash=c2pa_crash,
        how="an assertion nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        grows_table=True,
    ),
]
