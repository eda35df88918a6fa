"""Typed use of @silvia-odwyer/photon."""

from typing import assert_type

import silvia_odwyer_photon as photon


def inverted(data: bytes) -> bytes:
    picture = photon.PhotonImage.new_from_byteslice(data)
    assert_type(picture, photon.PhotonImage)
    assert_type(picture.get_width(), int)
    photon.invert(picture)
    photon.alter_channel(picture, 0.5, 10)  # wrong
    photon.invert(data)  # wrong
    return picture.get_raw_pixels()
