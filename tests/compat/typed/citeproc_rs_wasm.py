"""Typed use of @citeproc-rs/wasm."""

from typing import assert_type

import citeproc_rs_wasm as citeproc


def cite(style: str) -> str:
    driver = citeproc.Driver({"style": style, "format": "plain"})
    driver.insert_reference({"id": "book", "type": "book", "title": "On Rust"})
    driver.insert_cluster({"id": "1", "cites": [{"id": "book"}]})
    driver.set_cluster_order([{"id": "1", "note": 1}])
    assert_type(driver.full_render()["allClusters"], dict[str, str])
    assert_type(driver.make_bibliography(), list[citeproc.BibEntry])
    citeproc.Driver({"style": style, "format": "docx"})  # wrong
    citeproc.Driver()  # wrong
    return driver.built_cluster("1")
