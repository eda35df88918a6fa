import * as wasm from "./silent_bg.wasm";
import { __wbg_set_wasm } from "./silent_bg.js";

__wbg_set_wasm(wasm);
wasm.__wbindgen_start();
export {
    abort, add, boom
} from "./silent_bg.js";
