"""Packages for tables."""

import base64

from tests.compat.package import Package

# One column `n` of 32-bit integers with 1, 2 and 3, as an Arrow file and as an Arrow stream.
ARROW_FILE = (
    "QVJST1cxAAD/////iAAAABQAAAAAAAAADAAWABQADwAQAAQADAAAABAAAAAAAAAAAAAAAxAAAAAEAAoAGAAMAAgABAAKAAAAFAAAADgAAAADAA"
    "AAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAQAAAAMAAAAAAAAAAAAAAAAAAAABAAAAAgAAAAMAAAAA"
    "AAAA/////wAAAAAQAAAADAAUAA4AEAAEAAgADAAAABAAAAAUAAAAAAAEADAAAAAAAAAAAAAAAAEAAAAIAAAAAAAAAJAAAAAAAAAAEAAAAAAAAA"
    "AIAAgAAAAEAAgAAAAEAAAAAQAAABQAAAAQABgABAALABMAFAAAAAwAEAAAABQAAAAAAAABFAAAAAAAAAIYAAAAAQAAAG4AAAAAAAAACAAMAAgA"
    "BwAIAAAAAAAAASAAAACoAAAAQVJST1cx"
)
ARROW_STREAM = (
    "/////4AAAAAQAAAAAAAKABAADgAHAAgACgAAAAAAAAEQAAAAAAAEAAgACAAAAAQACAAAAAQAAAABAAAAFAAAABAAGAAEAAsAEwAUAAAADAAQAA"
    "AAFAAAAAAAAAEUAAAAAAAAAhgAAAABAAAAbgAAAAAAAAAIAAwACAAHAAgAAAAAAAABIAAAAP////+IAAAAFAAAAAAAAAAMABYAFAAPABAABAAM"
    "AAAAEAAAAAAAAAAAAAADEAAAAAQACgAYAAwACAAEAAoAAAAUAAAAOAAAAAMAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AQAAAAAAAAAAAAAAABAAAAAwAAAAAAAAAAAAAAAAAAAAEAAAACAAAAAwAAAAAAAAD/////AAAAAA=="
)


def parquet_old_use(module):
    import struct

    written = module.write_parquet(base64.b64decode(ARROW_FILE))
    return [written[:4].decode(), struct.pack("<3i", 1, 2, 3) in module.read_parquet(written)]


def parquet_old_crash(module):
    # Version 1, and a schema of 2**31 - 1 elements.
    metadata = bytes([0x15, 0x02, 0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07])
    module.read_parquet(b"PAR1" + metadata + len(metadata).to_bytes(4, "little") + b"PAR1")


def parquet_use(module):
    import struct

    written = module.write_parquet(module.Table.from_ipc_stream(base64.b64decode(ARROW_STREAM)))
    table = module.read_parquet(written)
    return [table.schema.index_of("n"), struct.pack("<3i", 1, 2, 3) in table.into_ipc_stream()]


def parquet_crash(module):
    module.WriterPropertiesBuilder().set_max_row_group_size(0)


def parquet_keep(module):
    return module.Table.from_ipc_stream(base64.b64decode(ARROW_STREAM))


def parquet_ask(_module, table):
    return table.num_batches


def ironcalc_use(module):
    model = module.Model("book", "en", "UTC", "en")
    model.set_user_input(0, 1, 1, "=SUM(19, 23)")
    return model.get_formatted_cell_value(0, 1, 1)


def ironcalc_crash(module):
    formula = "=" + "(" * 20_000 + "1" + ")" * 20_000
    module.Model("book", "en", "UTC", "en").set_user_input(0, 1, 1, formula)


def ironcalc_keep(module):
    model = module.Model("book", "en", "UTC", "en")
    model.set_name("renamed")
    return model


def ironcalc_ask(_module, model):
    return model.get_name()


PACKAGES = [
    Package(
        folder="parquet-wasm-0.1",
        glue="web.js",
        wasm="web_bg.wasm",
        use=parquet_old_use,
        gives=["PAR1", True],
        crash=parquet_old_crash,
        how="a file that promises 2³¹ columns",
        raises=("RustPanic",),
    ),
    Package(
        folder="parquet-wasm",
        glue="esm/parquet_wasm.js",
        wasm="esm/parquet_wasm_bg.wasm",
        use=parquet_use,
        gives=[0, True],
        crash=parquet_crash,
        how="row groups of no rows",
        raises=("Trap",),
        keep=parquet_keep,
        ask=parquet_ask,
        answers=(1, "StaleObjectError"),
    ),
    Package(
        folder="@ironcalc/wasm",
        glue="wasm.js",
        wasm="wasm_bg.wasm",
        use=ironcalc_use,
        gives="42",
        crash=ironcalc_crash,
        how="a formula nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        keep=ironcalc_keep,
        ask=ironcalc_ask,
        answers=("renamed", "book"),
    ),
]
