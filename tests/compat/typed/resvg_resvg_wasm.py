"""Typed use of @resvg/resvg-wasm."""

from typing import assert_type

import resvg_resvg_wasm as resvg


def draw(svg: str, font: bytes) -> bytes:
    picture = resvg.Resvg(svg, {"fitTo": {"mode": "width", "value": 200}, "font": {"fontBuffers": [font]}})
    box = picture.get_b_box()
    if box is not None:
        picture.crop_by_b_box(box)
        assert_type(box.width, float)
    image = picture.render()
    assert_type(image.height, int)
    assert_type(image.as_png(), bytes)
    assert_type(image.asPng(), bytes)
    image.height = 3  # wrong
    resvg.Resvg(svg, {"fitTo": {"mode": "narrow"}})  # wrong
    resvg.Resvg(svg).crop(box)  # wrong
    return image.pixels
