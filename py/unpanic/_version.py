"""The version of unpanic, which js/package.json has too."""

__all__ = ["__version__"]

__version__ = "0.1.0"
