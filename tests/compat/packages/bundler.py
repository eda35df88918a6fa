"""Packages that wasm-bindgen built for a bundler: an entry that imports the Wasm file, and glue beside it."""

from tests.compat.package import Package
from tests.compat.packages.languages import nested


def tiktoken_use(module):
    return list(module.get_encoding("gpt2").encode("hello world"))


def tiktoken_crash(module):
    module.get_encoding("gpt2").encode(" " * 1_000_000)


def tiktoken_keep(module):
    return module.Tiktoken("! 0 YQ== Yg== YWI=", {}, "[a-z]+")


def tiktoken_ask(_module, encoding):
    return list(encoding.encode("abba"))


def brotli_use(module):
    text = b"hello " * 100
    packed = module.compress(text, {"quality": 5})
    return [len(packed) < 50, bytes(module.decompress(packed)) == text]


def brotli_crash(module):
    module.CompressStream(5).compress(b"hello", 0xFFFF_FFFF)


def brotli_keep(module):
    stream = module.CompressStream(5)
    stream.compress(b"hello", 100)
    return stream


def brotli_ask(_module, stream):
    return stream.total_out()


def lz4_use(module):
    text = b"hello " * 100
    packed = module.compress(text)
    return [len(packed) < 50, bytes(module.decompress(packed)) == text]


def lz4_crash(module):
    # The first four bytes are the length of the text.
    module.decompress(b"\xff\xff\xff\xff\x00\x00\x00")


def photon_picture(module, width=2, height=2):
    return module.PhotonImage(bytes([100]) * (width * height * 4), width, height)


def photon_use(module):
    picture = photon_picture(module)
    module.invert(picture)
    return [picture.get_width(), list(picture.get_raw_pixels()[:4])]


def photon_crash(module):
    module.alter_channel(photon_picture(module), 9, 10)


def photon_keep(module):
    return photon_picture(module, 3, 5)


def photon_ask(_module, picture):
    return [picture.get_width(), picture.get_height()]


def voy_page(number):
    return {
        "id": str(number),
        "title": f"page {number}",
        "url": f"/{number}",
        "embeddings": [(number * 7 + at) % 11 / 11 for at in range(768)],
    }


def voy_index(module, count):
    return module.Voy({"embeddings": [voy_page(number) for number in range(count)]})


def voy_use(module):
    import array

    found = voy_index(module, 3).search(array.array("f", voy_page(1)["embeddings"]), 1)
    return [page["title"] for page in found["neighbors"]]


def voy_crash(module):
    module.Voy.deserialize("no JSON")


def voy_keep(module):
    return voy_index(module, 4)


def voy_ask(_module, index):
    return index.size()


def kyber_use(module):
    keys = module.Keys()
    exchange = module.encapsulate(keys.pubkey)
    secret = module.decapsulate(exchange.ciphertext, keys.secret)
    return [len(keys.pubkey), bytes(secret) == bytes(exchange.shared_secret)]


def kyber_crash(module):
    module.Kex(b"abc")


def kyber_keep(module):
    return module.Keys()


def kyber_ask(_module, keys):
    return len(keys.pubkey)


def typstyle_use(module):
    return module.format("#let  x=1", {"max_width": 80, "tab_spaces": 2})


def typstyle_crash(module):
    module.format_range("#let  x=1", 5, 2, {})


def rome_format(module, source):
    workspace = module.Workspace()
    path = {"path": "a.js", "id": 0}
    workspace.open_file({"path": path, "version": 0, "content": source, "language_hint": "JavaScript"})
    return workspace.format_file({"path": path})["code"]


def rome_use(module):
    return rome_format(module, "a  =1")


def rome_crash(module):
    rome_format(module, nested("(", ")"))


def mrml_use(module):
    text = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
    mail = module.Engine().to_html(f"<mjml><mj-body>{text}</mj-body></mjml>")
    return [mail["type"], "<!doctype html>" in mail["content"], "Hello" in mail["content"]]


def mrml_crash(module):
    text = "<div>" * 50_000 + "</div>" * 50_000
    column = f"<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>"
    module.Engine().to_html(f"<mjml><mj-body>{column}</mj-body></mjml>")


def mitex_use(module):
    return module.convert_math("\\frac{1}{2}", b"")


def mitex_crash(module):
    # The second argument is a description of LaTeX commands.
    module.convert_math("a", b"abc")


PACKAGES = [
    Package(
        folder="tiktoken",
        target="bundler",
        glue="tiktoken.js",
        wasm="tiktoken_bg.wasm",
        takes_long=True,
        use=tiktoken_use,
        gives=[31373, 995],
        crash=tiktoken_crash,
        how="a text of a million spaces",
        raises=("Trap",),
        keep=tiktoken_keep,
        ask=tiktoken_ask,
        answers=([2, 1, 0], [2, 1, 0]),
    ),
    Package(
        folder="brotli-wasm",
        target="bundler",
        glue="pkg.bundler/brotli_wasm.js",
        wasm="pkg.bundler/brotli_wasm_bg.wasm",
        use=brotli_use,
        gives=[True, True],
        crash=brotli_crash,
        how="an output of 4 GiB",
        raises=("RustPanic",),
        keep=brotli_keep,
        ask=brotli_ask,
        answers=(0, 0),
    ),
    Package(
        folder="lz4-wasm",
        target="bundler",
        glue="lz4_wasm.js",
        wasm="lz4_wasm_bg.wasm",
        use=lz4_use,
        gives=[True, True],
        crash=lz4_crash,
        how="a text that claims 4 GiB",
        raises=("Trap",),
    ),
    Package(
        folder="@silvia-odwyer/photon",
        target="bundler",
        glue="photon_rs.js",
        wasm="photon_rs_bg.wasm",
        use=photon_use,
        gives=[2, [155, 155, 155, 100]],
        crash=photon_crash,
        how="a tenth color channel",
        raises=("Trap",),
        keep=photon_keep,
        ask=photon_ask,
        answers=([3, 5], [3, 5]),
    ),
    Package(
        folder="voy-search",
        target="bundler",
        glue="voy_search.js",
        wasm="voy_search_bg.wasm",
        use=voy_use,
        gives=["page 1"],
        crash=voy_crash,
        how="an index that is not JSON",
        raises=("RustPanic",),
        keep=voy_keep,
        ask=voy_ask,
        answers=(4, 4),
    ),
    Package(
        folder="pqc-kyber",
        target="bundler",
        glue="pqc_kyber.js",
        wasm="pqc_kyber_bg.wasm",
        use=kyber_use,
        gives=[1184, True],
        crash=kyber_crash,
        how="a public key of three bytes",
        raises=("Trap",),
        keep=kyber_keep,
        ask=kyber_ask,
        answers=(1184, 1184),
    ),
    Package(
        folder="@typstyle/typstyle-wasm-bundler",
        target="bundler",
        glue="typstyle_wasm.js",
        wasm="typstyle_wasm_bg.wasm",
        use=typstyle_use,
        gives="#let x = 1\n",
        crash=typstyle_crash,
        how="a range that ends before it starts",
        raises=("RustPanic",),
    ),
    Package(
        folder="@rometools/wasm-bundler",
        target="bundler",
        glue="rome_wasm.js",
        wasm="rome_wasm_bg.wasm",
        use=rome_use,
        gives="a = 1;\n",
        crash=rome_crash,
        how="JavaScript nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="mrml",
        target="bundler",
        glue="bundler/mrml_wasm.js",
        wasm="bundler/mrml_wasm_bg.wasm",
        use=mrml_use,
        gives=["success", True, True],
        crash=mrml_crash,
        how="HTML nested 50,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="mitex-wasm",
        target="bundler",
        glue="mitex_wasm.js",
        wasm="mitex_wasm_bg.wasm",
        use=mitex_use,
        gives="frac(1 ,2 )",
        crash=mitex_crash,
        how="a description of commands of three bytes",
        raises=("Trap",),
    ),
]
