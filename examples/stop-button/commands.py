import math

import unpanic

loops = await unpanic.load("loops/loops.js", timeout=math.inf)


def run(call):
    """Makes one call, and returns the outcome."""
    try:
        outcome = eval(call)
    except KeyboardInterrupt:
        outcome = "stopped"
    return f"{call}: {outcome}"
