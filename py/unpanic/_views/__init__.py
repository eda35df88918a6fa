"""How a module's state and past look: status, card, timeline, progress of a download.

Owns: pictures, HTML and text. Decides nothing and changes nothing.
May know `_bridge` and `_recovery`; knows no exports.
"""
