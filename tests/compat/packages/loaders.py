"""Packages with a loader of their own around their glue, or with several files that are one API."""

from tests.compat.injected import decoding_throws
from tests.compat.package import Package
from tests.compat.packages.languages import nested


def ball_in_2d(module):
    world = module.World({"x": 0.0, "y": -9.81})
    body = world.create_rigid_body(module.RigidBodyDesc.dynamic().set_translation(0.0, 10.0))
    return world, body, world.create_collider(module.ColliderDesc.ball(0.5), body)


def fall_in_2d(module):
    """Returns whether a ball that has fallen for a second is where it should be, and whether it is where it was."""
    world, _, ball = ball_in_2d(module)
    for _ in range(60):
        world.step()
    return [ball.contains_point({"x": 0.0, "y": y}) for y in (5.07, 10.0)]


def removed_in_2d(module):
    world, body, _ = ball_in_2d(module)
    world.remove_rigid_body(body)
    body.translation()


def keep_in_2d(module):
    return ball_in_2d(module)


def ask_in_2d(_module, kept):
    _, _, ball = kept
    return ball.contains_point({"x": 0.0, "y": 10.0})


def ball_in_3d(module):
    world = module.World({"x": 0.0, "y": -9.81, "z": 0.0})
    body = world.create_rigid_body(module.RigidBodyDesc.dynamic().set_translation(0.0, 10.0, 0.0))
    return world, body, world.create_collider(module.ColliderDesc.ball(0.5), body)


def fall_in_3d(module):
    world, _, ball = ball_in_3d(module)
    for _ in range(60):
        world.step()
    return [ball.contains_point({"x": 0.0, "y": y, "z": 0.0}) for y in (5.07, 10.0)]


def removed_in_3d(module):
    world, body, _ = ball_in_3d(module)
    world.remove_rigid_body(body)
    body.translation()


def keep_in_3d(module):
    return ball_in_3d(module)


def ask_in_3d(_module, kept):
    _, _, ball = kept
    return ball.contains_point({"x": 0.0, "y": 10.0, "z": 0.0})


async def matrix_machine(module):
    return await module.OlmMachine.initialize(module.UserId("@ada:example.org"), module.DeviceId("DEVICE"))


async def matrix_use(module):
    machine = await matrix_machine(module)
    secret = module.Attachment.encrypt(b"hello")
    return [
        machine.user_id.localpart,
        len(machine.identity_keys.ed25519.to_base64()),
        bytes(module.Attachment.decrypt(secret)).decode(),
    ]


async def matrix_crash(module):
    import unpanic

    machine = await matrix_machine(module)
    try:
        await machine.encrypt_room_event(module.RoomId("!room:example.org"), "m.text", "{}")
    except unpanic.CallInterrupted as error:
        # The task that Rust had queued crashed, not the call that waits for it.
        raise error.crash from None


def matrix_keep(module):
    return module.UserId("@kept:example.org")


def matrix_ask(_module, user):
    return user.localpart


def blake3_use(module):
    return bytes(module.blake3_hash(b"hello")).hex()[:16]


def blake3_crash(module):
    decoding_throws(module.blake3_mac, b"no key", b"hello")


def whatsapp_use(module):
    packed = module.encode_node({"tag": "a", "attrs": {"b": "c"}, "content": "hello"})
    return [bytes(module.md5(b"hello")).hex()[:16], bytes(packed[-5:]).decode()]


def whatsapp_crash(module):
    from pyodide.code import run_js

    node = run_js(
        "let nested = { tag: 'a', attrs: {} };"
        "for (let depth = 0; depth < 20_000; depth++) nested = { tag: 'a', attrs: {}, content: [nested] }; nested"
    )
    module.encode_node(node)


def cojson_use(module):
    hasher = module.Blake3Hasher()
    hasher.update(b"hello")
    return [bytes(hasher.finalize()).hex()[:16], module.short_hash("hello")]


def cojson_crash(module):
    decoding_throws(module.get_signer_id, b"no secret")


def foras_use(module):
    text = b"hello " * 100
    packed = module.gzip(module.Memory(text), 6)
    return [len(packed.bytes) < 100, bytes(module.gunzip(packed).bytes) == text]


def foras_crash(module):
    decoding_throws(module.gunzip, module.Memory(b"no file"))


def foras_keep(module):
    return module.Memory(b"kept")


def foras_ask(_module, memory):
    return bytes(memory.bytes).decode()


def biscuit_token(module):
    builder = module.Biscuit.builder()
    builder.add_code('user("ada");')
    return builder.build(module.KeyPair(module.SignatureAlgorithm.Ed25519).get_private_key())


def biscuit_use(module):
    token = biscuit_token(module)
    authorizer = module.AuthorizerBuilder()
    authorizer.add_code('allow if user("ada");')
    limits = {"max_facts": 1_000, "max_iterations": 100, "max_time_micro": 10_000_000}
    allowed_by = authorizer.build_authenticated(token).authorize_with_limits(limits)
    return [allowed_by, token.count_blocks(), token.get_block_source(0)]


def biscuit_crash(module):
    module.Biscuit.builder().add_code("check if " + nested("(", ")") + "true;")


def biscuit_keep(module):
    return biscuit_token(module)


def biscuit_ask(_module, token):
    return token.get_block_source(0)


def rewriter(module):
    operators = [{"src": "plusOperator", "operator": True}]
    return module.Rewriter({"csiMethods": operators, "localVarPrefix": "x", "telemetryVerbosity": "OFF"})


def rewriter_use(module):
    rewritten = rewriter(module).rewrite("function f(a, b) { return a + b }", "a.js", ["iast"])
    return "_ddiast.plusOperator(a + b, a, b)" in rewritten["content"]


def rewriter_crash(module):
    rewriter(module).rewrite(nested("(", ")"), "a.js", ["iast"])


def rewriter_keep(module):
    return rewriter(module)


def rewriter_ask(_module, kept):
    return kept.csi_methods()


def ruff_use(module):
    return module.format("x=( 1)")


def ruff_crash(module):
    module.format_range("x=( 1)", {"start": 5, "end": 2})


PACKAGES = [
    Package(
        folder="@dimforge/rapier2d",
        target="bundler",
        glue="rapier.js",
        wasm="rapier_wasm2d_bg.wasm",
        is_wrapped=True,
        types=None,
        use=fall_in_2d,
        gives=[True, False],
        crash=removed_in_2d,
        how="a body that was removed",
        raises=("Trap",),
        keep=keep_in_2d,
        ask=ask_in_2d,
        answers=(True, "StaleObjectError"),
    ),
    Package(
        folder="rapier3d-compat-0.21",
        glue="dist/rapier.mjs",
        wasm="dist/rapier_wasm3d_bg.wasm",
        is_wrapped=True,
        types=None,
        use=fall_in_3d,
        gives=[True, False],
        crash=removed_in_3d,
        how="a body that was removed",
        raises=("Trap",),
        keep=keep_in_3d,
        ask=ask_in_3d,
        answers=(True, "StaleObjectError"),
    ),
    Package(
        folder="@matrix-org/matrix-sdk-crypto-wasm",
        target="bundler",
        glue="index.mjs",
        wasm="pkg/matrix_sdk_crypto_wasm_bg.wasm",
        is_wrapped=True,
        types="pkg/matrix_sdk_crypto_wasm.d.ts",
        takes_long=True,
        use=matrix_use,
        gives=["ada", 43, "hello"],
        crash=matrix_crash,
        how="a message for a room without a session",
        raises=("RustPanic",),
        keep=matrix_keep,
        ask=matrix_ask,
        answers=("kept", "kept"),
    ),
    Package(
        folder="@webbuf/blake3",
        target="bundler",
        glue="dist/rs-webbuf_blake3-inline-base64/webbuf_blake3.js",
        wasm="dist/rs-webbuf_blake3-inline-base64/webbuf_blake3_bg.wasm.js",
        is_wrapped=True,
        types="dist/rs-webbuf_blake3-inline-base64/webbuf_blake3_bg.d.ts",
        use=blake3_use,
        gives="ea8f163db3868292",
        crash=blake3_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
    ),
    Package(
        folder="whatsapp-rust-bridge",
        glue="dist/index.js",
        wasm="dist/index.js",
        is_wrapped=True,
        types="pkg/whatsapp_rust_bridge.d.ts",
        use=whatsapp_use,
        gives=["5d41402abc4b2a76", "hello"],
        crash=whatsapp_crash,
        how="a node nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="cojson-core-wasm",
        glue="index.js",
        wasm="public/cojson_core_wasm.wasm",
        is_wrapped=True,
        types="public/cojson_core_wasm.d.ts",
        use=cojson_use,
        gives=["ea8f163db3868292", "shortHash_zjwaK3pa1nCvvEfXJdsYJS2of5R"],
        crash=cojson_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
    ),
    Package(
        folder="@hazae41/foras",
        glue="dist/esm/src/node/index.mjs",
        wasm="dist/esm/wasm/pkg/foras.wasm.mjs",
        is_wrapped=True,
        types=None,
        use=foras_use,
        gives=[True, True],
        crash=foras_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
        keep=foras_keep,
        ask=foras_ask,
        answers=("kept", "kept"),
    ),
    Package(
        folder="@biscuit-auth/biscuit-wasm",
        target="bundler",
        glue="module/biscuit.js",
        wasm="module/biscuit_bg.wasm",
        is_wrapped=True,
        use=biscuit_use,
        gives=[0, 1, 'user("ada");\n'],
        crash=biscuit_crash,
        how="a check nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        keep=biscuit_keep,
        ask=biscuit_ask,
        answers=('user("ada");\n', "StaleObjectError"),
    ),
    Package(
        folder="@datadog/wasm-js-rewriter",
        target="nodejs",
        glue="wasm/wasm_js_rewriter.js",
        wasm="wasm/wasm_js_rewriter_bg.wasm",
        use=rewriter_use,
        gives=True,
        crash=rewriter_crash,
        how="JavaScript nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        keep=rewriter_keep,
        ask=rewriter_ask,
        answers=(["plusOperator"], ["plusOperator"]),
    ),
    Package(
        folder="@wasm-fmt/ruff_fmt",
        target="bundler",
        glue="ruff_fmt_esm.js",
        wasm="ruff_fmt_bg.wasm",
        is_wrapped=True,
        types="ruff_fmt.d.ts",
        use=ruff_use,
        gives="x = 1\n",
        crash=ruff_crash,
        how="a range that ends before it starts",
        raises=("Trap",),
    ),
]
