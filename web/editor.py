"""Runs the source that the editor holds, and calls its functions. Both halves of the page use this file."""

import inspect
import linecache

FILE = "teller.py"


class Teller:
    """The functions of the latest source that ran."""

    def __init__(self):
        self.names = {}

    def run(self, source):
        """Runs a source from its top. If that fails, the previous functions stay.

        Returns:
            The names of the functions in it.

        Raises:
            SyntaxError: the source is not Python; the error has the place.
            Exception: whatever the source raises.
        """
        code = compile(source, FILE, "exec")
        remember(FILE, source)
        names = {"__name__": "teller"}
        exec(code, names)
        self.names = names
        return [name for name, value in names.items() if inspect.isfunction(value)]

    async def call(self, name):
        """Calls a function and waits for its result.

        Raises:
            NameError: there is no function of that name.
            Exception: whatever the function raises.
        """
        if not callable(self.names.get(name)):
            raise NameError(f"{FILE} has no function {name}(). Write one, or press Reset.")
        result = self.names[name]()
        return await result if inspect.isawaitable(result) else result


def remember(file, source):
    """Lets tracebacks show the lines of a file that is not on a disk."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)


def syntax_error(error):
    """Returns the message and place that the editor marks."""
    return {"message": error.msg, "line": error.lineno or 1, "column": error.offset or 1}
