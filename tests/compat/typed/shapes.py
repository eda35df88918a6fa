"""Typed use of the fixture shapes."""

from typing import assert_type

import shapes


def draw() -> str:
    corner = shapes.Point(1, y=2)
    shape = shapes.make_shape([corner, shapes.Point.at_origin()], shapes.Fill.Solid)
    assert_type(shapes.makeShape([corner]), shapes.Shape)
    assert_type(shape.corner_count, int)
    assert_type(corner.distance_to(), float)
    assert_type(shape.fill, shapes.Fill)
    assert_type(shapes.enlarged(shapes.Size.Small), shapes.Size)
    assert_type(shapes.split_in_two("text", 2), list[str])
    shapes.draw({"lineWidth": 2, "color": "red"}, (1, 2))
    shapes.draw({"lineWidth": "2"})  # wrong
    shapes.enlarged("huge")  # wrong
    assert_type(shapes.lambda_(1, in_=3), int)
    shapes.lambda_(1, in_="3")  # wrong
    return shape.into_text()
