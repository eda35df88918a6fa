import logging
import sys

import unpanic

__export__ = ["compile_query"]

# PyScript reports all output on stderr as an error of the page, but a caught crash is no error.
logging.basicConfig(stream=sys.stdout)
logging.captureWarnings(True)

prql = await unpanic.load("npm:prql-js@0.12.1")


def compile_query(query):
    """Compiles a query, and returns the SQL or the crash."""
    options = prql.CompileOptions()  # an object in Rust, which `compile` consumes
    options.target = "sql.sqlite"
    options.format = options.signature_comment = False
    try:
        return prql.compile(query, options)
    except unpanic.Crash as crash:
        # A call that crashes is rolled back: it has consumed nothing.
        return f"caught a {type(crash).__name__}: {crash}; the target is still {options.target}"
