"""The error of a build that cannot go on."""

__all__ = ["BuildError"]


class BuildError(Exception):
    """The build cannot go on; the message says what went wrong and what to do."""
