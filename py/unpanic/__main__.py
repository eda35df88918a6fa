"""`python -m unpanic` is the command `unpanic`, which belongs to the tools for a desktop."""

import sys

try:
    from unpanic_tools.cli import main
except ModuleNotFoundError as error:
    if error.name != "unpanic_tools":
        raise
    sys.exit(
        "unpanic: the command is in the package unpanic-tools, which is not installed: run `pip install unpanic-tools`."
    )

sys.exit(main())
