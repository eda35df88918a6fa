"""Packages that parse, check and format languages."""

from tests.compat.package import Package


def nested(opening, closing, depth=20_000):
    return opening * depth + closing * depth


def prql_use(module):
    options = module.CompileOptions()
    options.format = False
    options.signature_comment = False
    return module.compile("from tracks\nfilter plays > 10\nselect {title}", options)


def prql_crash(module):
    # A relation that selects a column which it does not define.
    module.rq_to_sql(
        '{"def": {"version": null, "other": {}}, "tables": [], '
        '"relation": {"kind": {"ExternRef": {"LocalTable": ["x"]}}, "columns": []}}'
    )


def prql_keep(module):
    options = module.CompileOptions()
    options.target = "sql.sqlite"
    return options


def prql_ask(_module, options):
    return options.target


def sqlparser_use(module):
    return module.format_sql("generic", "select  a from b where c")


def sqlparser_crash(module):
    query = "select " + "(" * 20_000 + "1" + ")" * 20_000
    module.parse_sql_with_options("generic", query, {"recursionLimit": 1_000_000, "recursion_limit": 1_000_000})


def ruff_use(module):
    return module.Workspace({}, module.PositionEncoding.Utf16).format("x=( 1)")


def ruff_crash(module):
    module.Workspace({}, module.PositionEncoding.Utf16).check(nested("(", ")"))


def ruff_keep(module):
    return module.Workspace({}, module.PositionEncoding.Utf16)


def ruff_ask(_module, workspace):
    return workspace.format("y=[ ]")


def swc_use(module):
    options = {"jsc": {"parser": {"syntax": "typescript"}, "target": "es5"}}
    return module.transform_sync("const x: number = 1", options)["code"]


def swc_crash(module):
    module.transform_sync({"type": "Module", "body": []}, {})


def biome_format(module, source):
    workspace = module.Workspace()
    project = workspace.open_project({"path": "/", "openUninitialized": True})["projectKey"]
    workspace.update_settings({"projectKey": project, "configuration": {}, "workspaceDirectory": "/"})
    content = {"type": "fromClient", "content": source, "version": 0}
    workspace.open_file({"projectKey": project, "path": "/a.js", "content": content})
    return workspace.format_file({"projectKey": project, "path": "/a.js"})["code"]


def biome_use(module):
    return biome_format(module, "a  =1")


def biome_crash(module):
    biome_format(module, nested("(", ")"))


def cedar_use(module):
    answer = module.policy_to_json("permit(principal, action, resource) when { 1 < 2 };")
    return [answer["type"], answer["json"]["effect"]]


def cedar_crash(module):
    module.policy_to_json("permit(principal, action, resource) when { " + nested("(", ")") + " };")


def zen_use(module):
    return module.evaluate_expression("sum(prices) * 2", {"prices": [1, 2, 3]})


def zen_crash(module):
    tree = module.VariableType({"a": 1})
    tree.set("a", tree)


def zen_keep(module):
    return module.VariableType({"kept": 1})


def zen_ask(_module, tree):
    return tree.to_json()


PACKAGES = [
    Package(
        folder="prql-js",
        glue="dist/web/prql_js.js",
        wasm="dist/web/prql_js_bg.wasm",
        use=prql_use,
        gives="SELECT title FROM tracks WHERE plays > 10",
        crash=prql_crash,
        how="a syntax tree whose table is not there",
        raises=("RustPanic",),
        keep=prql_keep,
        ask=prql_ask,
        answers=("sql.sqlite", ""),
    ),
    Package(
        folder="@guanmingchiu/sqlparser-ts",
        glue="wasm/sqlparser_rs_wasm.js",
        wasm="wasm/sqlparser_rs_wasm_bg.wasm",
        use=sqlparser_use,
        gives="SELECT a FROM b WHERE c",
        crash=sqlparser_crash,
        how="a query nested 20,000 deep, with that limit raised",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@astral-sh/ruff-wasm-web",
        glue="ruff_wasm.js",
        wasm="ruff_wasm_bg.wasm",
        use=ruff_use,
        gives="x = 1\n",
        crash=ruff_crash,
        how="Python nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        keep=ruff_keep,
        ask=ruff_ask,
        answers=("y = []\n", "y = []\n"),
    ),
    Package(
        folder="@swc/wasm-web",
        glue="wasm.js",
        wasm="wasm_bg.wasm",
        use=swc_use,
        gives="var x = 1;\n",
        crash=swc_crash,
        how="a syntax tree without positions",
        raises=("RustPanic",),
    ),
    Package(
        folder="@biomejs/wasm-web",
        glue="biome_wasm.js",
        wasm="biome_wasm_bg.wasm",
        use=biome_use,
        gives="a = 1;\n",
        crash=biome_crash,
        how="JavaScript nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@cedar-policy/cedar-wasm",
        glue="web/cedar_wasm.js",
        wasm="web/cedar_wasm_bg.wasm",
        use=cedar_use,
        gives=["success", "permit"],
        crash=cedar_crash,
        how="a policy nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@gorules/zen-engine-wasm",
        glue="dist/zen_engine_wasm.js",
        wasm="dist/zen_engine_wasm_bg.wasm",
        use=zen_use,
        gives=12,
        crash=zen_crash,
        how="an object put into itself",
        raises=("ForeignException",),
        keep=zen_keep,
        ask=zen_ask,
        answers=({"Object": {"kept": "Number"}}, {"Object": {"kept": "Number"}}),
    ),
]
