"""The plugin for hatchling: `[tool.hatch.build.hooks.unpanic]` in `pyproject.toml` puts Rust crates into the wheel."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl
from unpanic._version import __version__

from .build.failure import BuildError
from .build.options import TABLE, read_options
from .build.package import Package
from .build.project import assemble

__all__ = ["RustHook", "hatch_register_build_hook"]

# A dependency on the package unpanic, in any version.
NAME = re.compile(r"unpanic(?![\w.-])", re.IGNORECASE)


class RustHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the crates, and adds their packages to the wheel."""

    PLUGIN_NAME = "unpanic"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Adds the files. Hatchling calls this before it makes a distribution."""
        if self.target_name != "wheel":
            return
        try:
            options = read_options(self.config)
            packages = assemble(Path(self.root), options)
            for package in packages:
                self._refuse_two_inits(package)
        except BuildError as error:
            print(f"unpanic: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        for package in packages:
            build_data["force_include"].update(package.files())
            # `pip install -e .` installs the Rust module as it is now, and the project's own files by their paths.
            build_data["force_include_editable"].update(package.files())
        build_data["tag"] = "py3-none-any"
        # A wheel's module needs unpanic where it runs; on a desktop, unpanic brings what stands in.
        if not any(NAME.match(each) for each in self.metadata.core.dependencies):
            build_data["dependencies"].append(f"unpanic>={__version__}")

    def clean(self, versions: list[str]) -> None:  # noqa: ARG002
        """Removes the packages that were made; what cargo has built is cargo's to clean."""
        for made in Path(self.root).glob("target/**/unpanic"):
            shutil.rmtree(made, ignore_errors=True)

    def _refuse_two_inits(self, package: Package) -> None:
        """Refuses a package whose place in the wheel is taken by one of the project's own."""
        if "." in package.module:
            return
        for folder in (package.module, f"src/{package.module}", f"python/{package.module}"):
            if (Path(self.root) / folder / "__init__.py").is_file():
                raise BuildError(
                    f'{folder}/__init__.py is the project\'s own. Set module = "{package.module}._rust" in {TABLE}, '
                    f"and import from there: `from ._rust import …`."
                )


@hookimpl
def hatch_register_build_hook() -> type[RustHook]:
    """Tells hatchling of the hook."""
    return RustHook
