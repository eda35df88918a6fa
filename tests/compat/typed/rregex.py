"""Typed use of rregex."""

from typing import assert_type

import rregex


def found(text: str) -> str:
    mails = rregex.RRegex(r"(\w+)@(\w+)")
    match = mails.find(text)
    assert_type(match, rregex.Match | None)
    assert_type(mails.shortest_match(text), int | None)
    print(match["value"])  # wrong
    mails.splitn(text, 0.5)  # wrong
    return mails.replace_all(text, "$2")
