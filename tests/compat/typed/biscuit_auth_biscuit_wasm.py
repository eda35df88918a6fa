"""Typed use of @biscuit-auth/biscuit-wasm."""

from typing import assert_type

import biscuit_auth_biscuit_wasm as biscuit


def token() -> str | None:
    builder = biscuit.Biscuit.builder()
    builder.add_code('user("ada");')
    key = biscuit.KeyPair(biscuit.SignatureAlgorithm.Ed25519).get_private_key()
    made = builder.build(key)
    assert_type(made, biscuit.Biscuit)
    assert_type(made.count_blocks(), int)
    builder.build("key")  # wrong
    biscuit.KeyPair()  # wrong
    return made.get_block_source(0)
