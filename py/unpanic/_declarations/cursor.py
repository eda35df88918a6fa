"""A place in a sequence of tokens, and the steps by which parsers move it on."""

from .tokens import Tokens

__all__ = ["MOST_LEVELS", "Cursor", "Unreadable"]

# Deeper nesting is not read. The interpreter's own stack would end at about 150 levels.
MOST_LEVELS = 40


class Unreadable(Exception):
    """The text here is not what the grammar expects."""


class Cursor:
    """The tokens of one declaration or one type, and the place that is read next."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens.read(text)
        self.texts = self.tokens.texts
        self.kinds = self.tokens.kinds
        self.last = len(self.texts) - 1  # the end has a token of its own
        self.at = 0
        self.levels = 0

    @property
    def text(self) -> str:
        """The text of the token here."""
        return self.texts[self.at]

    @property
    def kind(self) -> str:
        """The kind of the token here: `word`, `string`, `number`, `mark` or `end`."""
        return self.kinds[self.at]

    def ahead(self, count: int = 1) -> str:
        """Returns the text of a token that comes later."""
        return self.texts[min(self.at + count, self.last)]

    def kind_ahead(self, count: int = 1) -> str:
        """Returns the kind of a token that comes later."""
        return self.kinds[min(self.at + count, self.last)]

    def step(self) -> str:
        """Goes over one token; returns its text."""
        text = self.texts[self.at]
        self.at = min(self.at + 1, self.last)
        return text

    def take(self, text: str) -> bool:
        """Goes over this token if it is here; returns whether it is."""
        if self.texts[self.at] != text or self.kinds[self.at] == "string":
            return False
        self.step()
        return True

    def expect(self, text: str) -> None:
        """Goes over this token.

        Raises:
            Unreadable: another token is here.
        """
        if not self.take(text):
            raise Unreadable(text)

    def seek(self, *words: str) -> None:
        """Goes behind the first of these words."""
        while self.at < self.last:
            if self.step() in words:
                return

    def skip(self) -> None:
        """Goes over one token, or over a pair of brackets with its contents."""
        self.at = self.tokens.closing.get(self.at, self.at)
        self.step()

    def closing(self) -> int:
        """Returns the place of the bracket that closes the one here."""
        return self.tokens.closing.get(self.at, self.last)

    def written(self, start: int) -> str:
        """Returns the text between an earlier token and the one here."""
        starts = self.tokens.starts
        return " ".join(self.tokens.source[starts[start] : starts[self.at]].split())

    def deeper(self) -> None:
        """Counts a level of nesting.

        Raises:
            Unreadable: there are too many levels.
        """
        self.levels += 1
        if self.levels > MOST_LEVELS:
            raise Unreadable("nested too deeply")
