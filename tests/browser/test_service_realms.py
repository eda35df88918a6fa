"""Realms in which Python cannot answer requests of the page."""

from __future__ import annotations

import pytest


async def try_to_serve():
    from unpanic import service

    try:
        await service.serve("/bank/", str)
    except service.ServiceError as error:
        return str(error)


@pytest.mark.parametrize("realm", ["worker"])
def test_python_in_a_worker(py):
    """The error says where Python has to run."""
    assert py.run(try_to_serve) == (
        "Requests are served by Python on a page's main thread; this one runs in a worker, where browsers offer no "
        "service workers."
    )
