"""The colours of pictures and cards. They are readable on a white ground and on a black one."""

__all__ = ["AMBER", "BLUE", "GREEN", "RED"]

BLUE, RED, GREEN, AMBER = "#3b82d6", "#d64545", "#2f9e5b", "#c27c0e"
