"""The version of unpanic, which is that of js/package.json: a test compares them."""

__all__ = ["__version__"]

__version__ = "0.1.0"
