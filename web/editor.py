"""The source that the editor holds, as functions to call. Both halves of the page have it."""

import inspect
import linecache

FILE = "teller.py"


class Teller:
    """The functions of the latest source that ran."""

    def __init__(self):
        self.names = {}

    def run(self, source):
        """Runs a source from its top; if that fails, the functions before it stay.

        Returns:
            The names of the functions in it.

        Raises:
            SyntaxError: with the place of what is wrong.
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
    """Lets tracebacks show lines of a file that is on no disk."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)


def syntax_error(error):
    """What an editor needs to mark the place."""
    return {"message": error.msg, "line": error.lineno or 1, "column": error.offset or 1}
