/** Functions and classes of a package that are not wasm-bindgen's follow the rules of JavaScript. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fixture, supervise, thrown } from "../support.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");
const WRAPPER = readFileSync(new URL("../../../tests/node/wrapper.js", import.meta.url), "utf8");

/** The glue of a bank with JavaScript around it. */
function wrapped() {
  const bank = fixture("bank");
  return { ...bank, source: `${bank.source}\n${WRAPPER}` };
}

const { module } = await supervise(wrapped());
const { functions, classes, constants } = module.description;
const classOf = (name) => classes.find((described) => described.name === name);
const names = (members) => members.map(({ name }) => name).sort();
const optional = ({ params }) => params.map((param) => [param.name, param.optional]);

test("only what calls no export is a wrapper", () => {
  const wrappers = functions.filter(({ isWrapper }) => isWrapper);
  assert.deepEqual(names(wrappers), ["accountOf", "double", "introduce", "later", "prepare", "prices"]);
  assert.deepEqual(names(classes.filter(({ isWrapper }) => isWrapper)), ["Customer", "Empty", "Person", "Receipt"]);
  const { construct, methods } = classOf("Account");
  assert.deepEqual(
    [construct, ...methods].filter(({ isWrapper }) => isWrapper),
    [],
  );
});

test("each of its parameters may be left out, and those of Rust's functions may not", () => {
  assert.deepEqual(optional(classOf("Customer").construct), [
    ["name", true],
    ["amount", true],
    ["nickname", true],
  ]);
  assert.deepEqual(optional(classOf("Customer").setters.find(({ name }) => name === "limit")), [["limit", false]]);
  assert.deepEqual(optional(classOf("Savings").construct)[0], ["owner", true]);
  assert.deepEqual(optional(classOf("Account").construct)[0], ["owner", false]);
});

test("fields are getters and setters, unless the class has a member of that name", () => {
  const { getters, setters, methods, statics, staticGetters } = classOf("Customer");
  const fields = ["_limit", "account", "isFreed", "last", "mood", "name", "nickname", "other", "visits"];
  assert.deepEqual(names(getters.filter(({ isField }) => isField)), fields);
  assert.deepEqual(names(setters), [...fields, "limit"].sort());
  assert.deepEqual(names(methods), ["greet", "partner", "pay", "rename"]);
  assert.deepEqual([names(statics), names(staticGetters)], [["of"], ["greeting"]]);
  assert.deepEqual(names(classOf("Savings").getters), ["balance", "owner", "rate"]);
});

test("a constructor that is not written is there, and results that are not told are values", () => {
  assert.deepEqual(optional(classOf("Empty").construct), []);
  const results = Object.fromEntries(functions.map(({ name, result, isAsync }) => [name, [result.name, isAsync]]));
  assert.deepEqual(results.double, ["unknown", false]);
  assert.deepEqual(results.later, ["unknown", true]);
  assert.ok(constants.includes("Mood"));
});

test("objects work in plain JavaScript, and an object of the glue's is one object", async () => {
  const { module, exports } = await supervise(wrapped());
  const customer = new exports.Customer("ada");
  assert.deepEqual([customer.name, customer.visits, customer.pay(30n) === customer], ["ada", 0, true]);
  assert.deepEqual([customer.balance, customer.account.balance, customer.last.rounded], [70n, 70n, 30]);
  assert.ok(customer.account === exports.accountOf(customer) && customer.partner("bob") === customer.partner());
  assert.deepEqual([customer.partner().name, customer.greet(), exports.Mood.InDebt], ["bob", "hello ada!", 1]);
  assert.deepEqual([exports.prepare(customer, 1).amount, exports.Receipt], [1, undefined]);
  customer.name = "eve";
  exports.Customer.greeting = "bye";
  assert.deepEqual([customer.greet("?"), exports.introduce(customer)], ["bye eve?", "I am eve."]);
  assert.equal(new exports.Savings("ada", undefined, 3).rate, 3);
  assert.equal(thrown(() => customer.pay(1000n)).name, "Crash");
  assert.equal(module.generation.number, 1);
  assert.equal(thrown(() => customer.name).name, "StaleObjectError");
  assert.equal(new exports.Customer("ada").balance, 100n);
});

test("an object that nobody holds is not freed while the package has it", async () => {
  const { exports } = await supervise(wrapped());
  const customer = new exports.Customer("ada");
  const held = new exports.Account("bob", 5n);
  (() => void [customer.account, exports.accountOf(customer), customer.partner("bob")])();
  customer.partner().account = held;
  for (let round = 0; round < 5; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual([customer.balance, customer.partner().balance, held.balance], [100n, 5n, 5n]);
});
