from tests.browser.test_raw_wasm import *
