/**
 * Real packages for Node, Deno and scripts: each is loaded as if it were for the web, gives the exports of its build
 * for the web, crashes, and works again.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { glueFile, supervise, thrown } from "../../support.js";
import { targetsOf, webFile } from "./support.js";

/** A column with the numbers 1, 2 and 3. */
const ARROW_FILE =
  "QVJST1cxAAD/////iAAAABQAAAAAAAAADAAWABQADwAQAAQADAAAABAAAAAAAAAAAAAAAxAAAAAEAAoAGAAMAAgABAAKAAAAFAAAADgAAAADAA" +
  "AAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAQAAAAMAAAAAAAAAAAAAAAAAAAABAAAAAgAAAAMAAAAA" +
  "AAAA/////wAAAAAQAAAADAAUAA4AEAAEAAgADAAAABAAAAAUAAAAAAAEADAAAAAAAAAAAAAAAAEAAAAIAAAAAAAAAJAAAAAAAAAAEAAAAAAAAA" +
  "AIAAgAAAAEAAgAAAAEAAAAAQAAABQAAAAQABgABAALABMAFAAAAAwAEAAAABQAAAAAAAABFAAAAAAAAAIYAAAAAQAAAG4AAAAAAAAACAAMAAgA" +
  "BwAIAAAAAAAAASAAAACoAAAAQVJST1cx";
const HERE = "js/node_modules";
const COMPAT = "tests/compat/node_modules";
const nested = (opening, closing, depth = 20_000) => opening.repeat(depth) + closing.repeat(depth);

const citation = (e, macro, layout) => {
  const style =
    '<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0" class="note"><info><id>style</id><title>A style' +
    `</title><updated>2012-01-01T00:00:00Z</updated></info>${macro}<citation><layout>${layout}</layout></citation>` +
    "</style>";
  const driver = new e.Driver({ style, format: "plain" });
  driver.insertReference({ id: "book", type: "book", title: "On Rust" });
  driver.insertCluster({ id: "1", cites: [{ id: "book" }] });
  driver.setClusterOrder([{ id: "1", note: 1 }]);
  return driver.builtCluster("1");
};
const RECURSIVE = '<text macro="m"/>';
const CITEPROC = {
  web: `${COMPAT}/@citeproc-rs/wasm/_web/citeproc_rs_wasm.js`,
  use: (e) => citation(e, "", '<text variable="title"/>'),
  gives: "On Rust",
  fail: (e) => citation(e, `<macro name="m">${RECURSIVE}</macro>`, RECURSIVE),
};
const OLD_AUTOMERGE = {
  web: `${COMPAT}/@automerge/automerge-wasm/web/automerge_wasm.js`,
  use: (e) => {
    const document = e.create({ actor: "aabbcc" });
    document.putObject("/", "list", [1, 2, 3]);
    return e.load(document.save(), {}).materialize("/").list.length;
  },
  gives: 3,
  fail: (e) => {
    let deep = [];
    for (let depth = 0; depth < 20_000; depth++) deep = [deep];
    e.create({ actor: "aabbcc" }).putObject("/", "deep", deep);
  },
};
const AUTOMERGE = {
  web: `${COMPAT}/@automerge/automerge/dist/mjs/wasm_bindgen_output/web/automerge_wasm.js`,
  use: (e) => {
    const document = e.create({ actor: "aabbcc" });
    document.put("/", "answer", 42);
    return e.load(document.save(), {}).get("/", "answer");
  },
  gives: 42,
  fail: (e) => {
    const change = { actor: "aabbcc", seq: 77, startOp: 1, time: 0, message: null, deps: [], ops: [] };
    e.create({ actor: "aabbcc" }).applyChanges([e.encodeChange(change)]);
  },
};
const OXIGRAPH = {
  use: (e) => {
    const store = new e.Store();
    const [subject, predicate] = [1, 2].map((number) => e.namedNode(`http://example.com/${number}`));
    store.add(e.quad(subject, predicate, e.literal("2")));
    return store.query('SELECT ?s WHERE { ?s ?p ?o FILTER(?o = "2") }').map((row) => row.get("s").value);
  },
  gives: ["http://example.com/1"],
  fail: (e) => new e.Store().query(`SELECT * WHERE ${nested("{", "}", 100_000)}`),
};

const PACKAGES = [
  {
    what: "0.2.74 (2021)",
    path: `${COMPAT}/parquet-wasm-0.1/node.js`,
    target: "nodejs",
    web: `${COMPAT}/parquet-wasm-0.1/web.js`,
    use: (e) => [...e.writeParquet(new Uint8Array(Buffer.from(ARROW_FILE, "base64"))).slice(0, 4)],
    gives: [...Buffer.from("PAR1")],
    // A schema of 2³¹ - 1 elements.
    fail: (e) => {
      const metadata = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
      const mark = [...Buffer.from("PAR1")];
      e.readParquet(new Uint8Array([...mark, ...metadata, metadata.length, 0, 0, 0, ...mark]));
    },
  },
  {
    what: "2021, a snippet that is CommonJS",
    path: `${COMPAT}/@citeproc-rs/wasm/_cjs/citeproc_rs_wasm.js`,
    target: "nodejs",
    ...CITEPROC,
  },
  {
    what: "2021, async init alone",
    path: `${COMPAT}/@citeproc-rs/wasm/_no_modules/citeproc_rs_wasm.js`,
    target: "no-modules",
    ...CITEPROC,
  },
  {
    what: "2021, a script with code around it",
    path: `${COMPAT}/@citeproc-rs/wasm/_zotero/citeproc_rs_wasm.js`,
    target: "no-modules",
    ...CITEPROC,
  },
  {
    what: "2022",
    path: `${COMPAT}/oxigraph-0.3/node.js`,
    target: "nodejs",
    web: `${COMPAT}/oxigraph-0.3/web.js`,
    ...OXIGRAPH,
  },
  {
    what: "2023, asks for module.require",
    path: `${COMPAT}/@automerge/automerge-wasm/nodejs/automerge_wasm.cjs`,
    target: "nodejs",
    ...OLD_AUTOMERGE,
  },
  {
    what: "2023, Deno.readFile",
    path: `${COMPAT}/@automerge/automerge-wasm/deno/automerge_wasm.js`,
    target: "deno",
    ...OLD_AUTOMERGE,
  },
  {
    what: "exports that are also imports, a heap array",
    path: `${HERE}/prql-js/dist/node/prql_js.js`,
    target: "nodejs",
    web: `${HERE}/prql-js/dist/web/prql_js.js`,
    use: (e) => {
      const options = new e.CompileOptions();
      options.signature_comment = false;
      options.format = false;
      return e.compile("from x", options);
    },
    gives: "SELECT * FROM x",
    fail: (e) =>
      e.rq_to_sql(
        '{"def": {"version": null, "other": {}}, "tables": [], ' +
          '"relation": {"kind": {"ExternRef": {"LocalTable": ["x"]}}, "columns": []}}',
      ),
  },
  {
    what: "2026, exports that are also imports, snippets that are CommonJS",
    path: `${COMPAT}/loro-crdt/nodejs/loro_wasm.js`,
    target: "nodejs",
    web: `${COMPAT}/loro-crdt/web/loro_wasm.js`,
    use: (e) => {
      const document = new e.LoroDoc();
      document.getText("t").insert(0, "hello");
      document.getMap("m").set("answer", 42);
      const copy = new e.LoroDoc();
      copy.import(document.export({ mode: "snapshot" }));
      return copy.toJSON();
    },
    gives: { t: "hello", m: { answer: 42 } },
  },
  {
    what: "2025, __wbg_get_imports",
    path: `${HERE}/oxigraph/node.js`,
    target: "nodejs",
    web: `${HERE}/oxigraph/web.js`,
    ...OXIGRAPH,
  },
  {
    what: "2025, exports that are also imports, externrefs",
    path: `${COMPAT}/@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js`,
    target: "nodejs",
    web: `${COMPAT}/@cedar-policy/cedar-wasm/web/cedar_wasm.js`,
    use: (e) => e.policyToJson("permit(principal, action, resource) when { 1 < 2 };").json.effect,
    gives: "permit",
    fail: (e) => e.policyToJson(`permit(principal, action, resource) when { ${nested("(", ")")} };`),
  },
  {
    what: "2026, exceptions of Wasm",
    path: `${COMPAT}/@automerge/automerge/dist/mjs/wasm_bindgen_output/nodejs/automerge_wasm.js`,
    target: "nodejs",
    ...AUTOMERGE,
  },
  {
    what: "2026, 44 exports",
    path: `${COMPAT}/@kreuzberg/html-to-markdown-wasm/pkg/nodejs/html_to_markdown_wasm.js`,
    target: "nodejs",
    web: `${COMPAT}/@kreuzberg/html-to-markdown-wasm/pkg/web/html_to_markdown_wasm.js`,
    use: (e) => e.convert("<h1>Rust</h1><p>in <b>Python</b></p>").content,
    gives: "# Rust\n\nin **Python**\n",
    fail: (e) => e.convert(nested("<div>", "</div>")),
  },
];

for (const { what, path, target, web, use, gives, fail } of PACKAGES) {
  const name = `${path.replace(/.*node_modules\//, "")} (${target}, ${what})`;
  // Only `make compat-packages` installs the packages of the compatibility tests.
  const skip = existsSync(new URL(`../../../../${path}`, import.meta.url)) ? false : "the package is not installed";

  test(`${name} exports what its build for the web does`, { skip }, async () => {
    assert.deepEqual(targetsOf(readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8")), [target]);
    const file = webFile(path);
    const { exports } = await supervise(file);
    const expected = await supervise(glueFile(`../${web}`));
    assert.deepEqual(Object.keys(exports).sort(), Object.keys(expected.exports).sort());
  });

  test(`${name} works in two generations and after a crash`, { skip }, async () => {
    const { module, supervisor, exports } = await supervise(webFile(path));
    assert.deepEqual(use(exports), gives);
    supervisor.reset();
    assert.equal(module.generation.number, 1);
    assert.deepEqual(use(exports), gives);
    if (!fail) return;
    const error = thrown(() => fail(exports));
    assert.ok(error.kind, error.stack);
    // A panic that unwinds leaves the generation as it is.
    assert.equal(module.generation.number, module.unwinds && error.kind === "panic" ? 1 : 2);
    assert.deepEqual(use(exports), gives);
  });
}
