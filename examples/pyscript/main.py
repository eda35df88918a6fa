import logging
import sys

import unpanic
from pyscript import document, when

# PyScript reports all output on stderr as an error of the page, but a caught crash is no error.
logging.basicConfig(stream=sys.stdout)

log = document.getElementById("log")
button = document.getElementById("again")


def show(text):
    log.append(f"{text}\n")


def make_options():
    options = prql.CompileOptions()  # an object in Rust, which `compile` consumes
    options.target = "sql.sqlite"
    options.format = options.signature_comment = False
    return options


@when("click", button)
def crash():
    deep = "(" * 300 + "1" + ")" * 300
    options = make_options()
    try:
        prql.compile(f"from tracks | derive x = {deep}", options)
    except unpanic.Crash as error:
        show(f"caught a {type(error).__name__}: {error}")
    # The call is undone: it has consumed nothing.
    show(f"the target is still {options.target}")


prql = await unpanic.load("npm:prql-js@0.12.1")
show(prql.compile("from tracks | take 3", make_options()))
crash()
button.disabled = False
