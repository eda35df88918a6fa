// The host for Python, with handlers that the tests play: the messages to them, and the effect of their exceptions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Callbacks, callbackError } from "../../../src/hosts/python/callbacks.js";
import { Driver } from "../../../src/hosts/python/driver.js";
import { PythonHost } from "../../../src/hosts/python/host.js";
import { CallbackError, Raised } from "../../../src/hosts/python/raising.js";
import { GlueError, StartError } from "../../../src/shared/errors.js";

class PythonError extends Error {}

const description = { functions: [], classes: [], constants: [], enums: {}, docs: {} };
const diagnosis = { kind: "trap", code: "unreachable", message: "unreachable", stack: "" };
const death = {
  diagnosis,
  call: "f",
  generation: 3,
  activation: 1,
  suspects: [{ id: 7, name: "slow" }],
  isCertain: false,
  canRollBack: false,
  interrupted: [],
};

/** Makes a host whose handlers note their messages and answer 12, after they have raised the given number of times. */
function play(failures = 0) {
  /** @type {any[]} */
  const told = [];
  const handler =
    (name) =>
    (...message) => {
      told.push([name, ...message]);
      if (failures-- > 0) throw new PythonError(name);
      return 12;
    };
  const handlers = Object.fromEntries(
    [
      "crashed",
      "interrupted",
      "retired",
      "recover",
      "prepared",
      "unwound",
      "failed",
      "inUse",
      "gone",
      "unavailable",
    ].map((name) => [name, handler(name)]),
  );
  handlers.raised = () => told.push(["raised"]);
  handlers.supervisor = { generation: 3 };
  const module = /** @type {any} */ ({ name: "bank", description, soon: 0, recoverSoon: () => module.soon++ });
  return { host: new PythonHost(module, /** @type {any} */ (handlers), PythonError), told, handlers, module };
}

const ENDS = {
  crashed: (host) => host.crashed(death, true),
  interrupted: (host) => host.interrupted(death, "f", true),
  unwound: (host) => host.unwound(diagnosis, "f"),
  failed: (host) => host.failed("no", "f", "borrowed"),
  inUse: (host) => host.inUse("Vault", "Vault.open", "Vault.put", new Error("recursive use"), ""),
  gone: (host) => host.gone("f", "stack"),
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`the answer of the handler \`${name}\` is thrown as an error that Pyodide knows`, () => {
    const { host, told } = play();
    const error = /** @type {any} */ (end(host));
    assert.ok(error instanceof PythonError);
    assert.equal(error.__error_address, 12);
    assert.deepEqual(
      told.map(([first]) => first),
      [name],
    );
  });

  test(`the handler \`${name}\` is called again after it has raised`, () => {
    const { host, told, module } = play(1);
    assert.equal(/** @type {any} */ (end(host)).__error_address, 12);
    assert.deepEqual(told, [told[0], ["raised"], told[0]]);
    assert.equal(module.soon, 0);
  });

  test(`if the handler \`${name}\` raises twice, the caller gets the exception, and the next turn recovers`, () => {
    const { host, module } = play(2);
    let error;
    try {
      error = end(host);
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error instanceof PythonError);
    assert.equal(error.message, name);
    assert.equal(module.soon, 1);
  });
}

test("a death is reported in one message, unchanged", () => {
  const { host, told, handlers } = play();
  const before = structuredClone({ ...death, diagnosis: null });
  host.crashed(/** @type {any} */ (death), true);
  const [, kind, code, message, payload, file, line, column, stack, cause, ...rest] = told[0];
  assert.deepEqual(
    [kind, code, message, payload, file, line, column, cause],
    ["trap", "unreachable", "unreachable", undefined, undefined, undefined, undefined, undefined],
  );
  assert.equal(stack.text(), "");
  assert.deepEqual(rest, ["f", 3, death.activation, true, [7], undefined, false, false]);
  assert.deepEqual({ ...death, diagnosis: null }, before);
  assert.equal(handlers.supervisor.generation, -1);
});

test("an instance that cannot be made is reported with a code", () => {
  const { host, told } = play();
  host.prepared("");
  host.prepared("WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance");
  host.prepared("no such import");
  assert.deepEqual(
    told.map(([, obstacle]) => obstacle),
    ["", "memory", "other"],
  );
});

for (const [error, obstacle] of [
  [new StartError("The start function of bank crashed: boom.", /** @type {any} */ (diagnosis)), "start"],
  [new RangeError("could not allocate memory"), "memory"],
  [new TypeError("no such import"), "other"],
]) {
  test(`the next generation is not there: ${error.message}`, () => {
    const lanes = { closureLane: () => undefined };
    const fail = () => {
      throw error;
    };
    const driver = new Driver(/** @type {any} */ ({ lanes, generation: { dead: death }, renew: fail }));
    assert.deepEqual(driver.renew(), [obstacle, error.message]);
    driver.module.renew = () => "preparing";
    assert.deepEqual(driver.renew(), ["preparing", ""]);
    driver.module.generation = { dead: null, number: 4 };
    assert.equal(driver.renew(), 4);
  });
}

test("a handler that may return any value raises by returning a special value", () => {
  const { host, handlers } = play();
  handlers.decline = (...message) => message;
  assert.deepEqual(host.decline(2, [1, { b: 3, a: 4 }]), [2, "b,a", 1, 3, 4]);
  const error = host.throwable(12);
  handlers.decline = () => new Raised(error);
  assert.throws(
    () => host.decline(2, [1]),
    (thrown) => thrown === error,
  );
  delete handlers.decline;
  assert.throws(() => host.decline(2, [1]), PythonError);
});

test("the exception of a callback flies on, and its result is returned", () => {
  /** @type {any} */
  let answer = 5;
  /** @type {any[]} */
  const noted = [];
  const module = /** @type {any} */ ({ name: "bank", noteRaised: (error) => noted.push(error) });
  let handlers = /** @type {any} */ ({ called: (_number, ...args) => answer ?? args });
  const callback = new Callbacks(module, () => handlers).make(1);
  assert.equal(callback(), 5);
  answer = callbackError("KeyError: 'a value'", {});
  assert.equal(callback(), answer, "an exception that is returned is a value");
  answer = new Raised(callbackError("KeyError: 'mine'", {}));
  assert.throws(callback, (error) => error instanceof CallbackError && error === answer.error);
  assert.deepEqual(noted, [answer.error]);
  handlers = undefined;
  assert.throws(callback, { message: "This Python callback was given to bank, which was unloaded." });
  assert.equal(noted.length, 1);
});

test("an error of unpanic's own is reported by its name", () => {
  const { host, told } = play();
  host.failed(new GlueError("no such export"), "f");
  assert.deepEqual(told[0], ["failed", undefined, "GlueError", "no such export", undefined, "f", ""]);
});
