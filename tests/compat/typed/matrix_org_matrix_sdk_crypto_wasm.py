"""Typed use of @matrix-org/matrix-sdk-crypto-wasm."""

from typing import assert_type

import matrix_org_matrix_sdk_crypto_wasm as matrix


async def machine(user: str) -> bytes:
    made = await matrix.OlmMachine.initialize(matrix.UserId(user), matrix.DeviceId("DEVICE"))
    assert_type(made, matrix.OlmMachine)
    assert_type(made.user_id.localpart, str)
    secret = matrix.Attachment.encrypt(b"hello")
    matrix.UserId()  # wrong
    matrix.Attachment.decrypt(b"hello")  # wrong
    return matrix.Attachment.decrypt(secret)
