"""The comments of Rust's authors and of wasm-bindgen become docstrings in Python's form."""

from __future__ import annotations

import pytest
from unpanic._declarations.docs import docstring, read_comment


def written(raw: str, **names: str) -> str:
    return docstring(read_comment(raw), names)


GLUE = """*
 * Makes a point.
 *
 * Of the plane, that is.
 *
 * @param {number} xAxis - distance from the left
 * @param {number | null} [y] - distance from the top,
 *   which is 0 if it is left out
 * @param {number} xAxis
 * @param {number | null} [y]
 * @returns {Point} the new point
 * @throws {Error} when there is no room
 * @returns {Point}
 """


def test_tags_become_sections():
    """A tag that both the author and wasm-bindgen wrote appears once, under Python's names."""
    assert written(GLUE, xAxis="x_axis", y="y") == (
        "Makes a point.\n\nOf the plane, that is.\n\n"
        "Args:\n    x_axis: distance from the left\n    y: distance from the top, which is 0 if it is left out\n\n"
        "Returns:\n    the new point\n\n"
        "Raises:\n    RustError: when there is no room"
    )


def test_tags_tell_types():
    """The last type is wasm-bindgen's own, whatever an author wrote before."""
    comment = read_comment(
        "*\n * @param {any} a\n * @param {{x: {y: number}}} a - b\n"
        " * @param {...string} [rest]\n * @returns {Promise<void>}"
    )
    assert (comment.params["a"].type, comment.params["a"].text) == ("{x: {y: number}}", "b")
    assert (comment.params["rest"].type, comment.params["rest"].optional) == ("string", True)
    assert comment.returns.type == "Promise<void>"


WITHOUT_TEXT = ["", "*", "*\n * @param {number} a\n * @returns {number}\n ", "* @param {string} [b]"]


@pytest.mark.parametrize("raw", WITHOUT_TEXT)
def test_types_alone_are_no_documentation(raw: str):
    """Parameters without a text are not listed, and a comment without any text is empty."""
    assert written(raw) == ""
    assert not read_comment(raw)


def test_comments_of_declarations_are_read_likewise():
    """Their stars are removed, and their tags have no types."""
    assert written("Splits.\n@param theText - what\n@returns both halves", theText="the_text") == (
        "Splits.\n\nArgs:\n    the_text: what\n\nReturns:\n    both halves"
    )


def test_markdown_stays_readable():
    """Code is indented instead of fenced, links become their texts, and a tag inside of code is no tag."""
    raw = """*
 * See {@link Point} and {@link https://example.com the site} or {@link Shape|shapes}.
 *
 * ```js
 * // @param is no tag here
 * draw(1);
 *     deep();
 * ```
 *
 * * one
 * * two
 """
    assert written(raw) == (
        "See Point and the site or shapes.\n\n"
        "    // @param is no tag here\n    draw(1);\n        deep();\n\n"
        "* one\n* two"
    )


def test_long_texts_are_wrapped():
    """The lines of a section have at most 90 columns, and further lines are indented."""
    lines = written(f"@param {{number}} a - {'word ' * 40}\n@returns {{number}} {'word ' * 40}").splitlines()
    assert all(len(line) < 90 for line in lines)
    assert [line[:8] for line in lines[:3]] == ["Args:", "    a: w", "        "]


def test_other_tags_are_kept_where_they_say_something():
    """An example or a deprecation becomes a section, and wasm-bindgen's own tags are dropped."""
    assert written("Old.\n@deprecated use `b`\n@enum {0 | 1}\n@example\n a()") == (
        "Old.\n\nDeprecated:\n    use `b`\n\nExample:\n    a()"
    )


BROKEN = [
    "* @param {number a",
    "* @param",
    "* @param {number}",
    "* {@link",
    "* ```js\n * open",
    "* @returns",
    "*@@@ {}",
]


@pytest.mark.parametrize("raw", BROKEN)
def test_damaged_comments_are_read(raw: str):
    """Unreadable parts stay as they are, and nothing raises."""
    assert isinstance(written(raw), str)
