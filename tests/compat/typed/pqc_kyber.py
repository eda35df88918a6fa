"""Typed use of pqc-kyber."""

from typing import assert_type

import pqc_kyber as kyber


def secret() -> bytes:
    keys = kyber.Keys()
    exchange = kyber.encapsulate(keys.pubkey)
    assert_type(exchange, kyber.Kex)
    assert_type(exchange.ciphertext, bytes)
    assert_type(kyber.Params.public_key_bytes, int)
    keys.secret = b""  # wrong
    kyber.Kex("key")  # wrong
    return kyber.decapsulate(exchange.ciphertext, keys.secret)
