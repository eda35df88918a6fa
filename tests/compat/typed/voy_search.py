"""Typed use of voy-search."""

from typing import assert_type

import voy_search as voy


def first(query: list[float]) -> str:
    page: voy.EmbeddedResource = {"id": "1", "title": "page", "url": "/", "embeddings": query}
    index = voy.Voy({"embeddings": [page]})
    neighbors = index.search(query, 1)["neighbors"]
    assert_type(neighbors, list[voy.Neighbor])
    assert_type(index.size(), int)
    index.add(page)  # wrong
    index.search(query)  # wrong
    return neighbors[0]["title"]
