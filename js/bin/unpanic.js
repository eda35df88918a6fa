/**
 * The command of the npm package.
 *
 *     npx unpanic factory pkg/bank.js
 */

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { factoryPlace, makeFactory } from "../src/glue/prebuilt.js";

const USAGE = `usage: unpanic factory GLUE...

For each glue file that wasm-bindgen wrote (pkg/bank.js), writes the file beside it
(pkg/bank.factory.js) that unpanic imports where a content security policy allows
neither 'unsafe-eval' nor blob: scripts. Run it after every build.
`;

function main() {
  let options;
  try {
    options = parseArgs({ options: { help: { type: "boolean", short: "h" } }, allowPositionals: true });
  } catch (error) {
    return fail(`unpanic: ${error.message}\n\n${USAGE}`, 2);
  }
  if (options.values.help) return void process.stdout.write(USAGE);
  const [command, ...files] = options.positionals;
  if (command !== "factory" || !files.length) return fail(USAGE, 2);
  for (const file of files) {
    try {
      const place = factoryPlace(file);
      // The decoder drops a byte order mark, as a browser does.
      writeFileSync(place, makeFactory(new TextDecoder().decode(readFileSync(file)), file));
      process.stdout.write(`${place}\n`);
    } catch (error) {
      fail(`unpanic: ${error.message}\n`, 1);
    }
  }
}

function fail(text, status) {
  process.stderr.write(text);
  process.exitCode = status;
}

main();
