// Prints the exports of packages as the runtime reads them from the glue, and as TypeScript's parser reads them from
// the .d.ts files. Packages come as JSON on standard input, by name: { glue, wasm, types }.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { API } from "../../js/node_modules/typescript/dist/api/sync/api.js";
import * as is from "../../js/node_modules/typescript/dist/ast/is.js";
import { describe } from "../../js/src/glue/describe.js";
import { readGlue } from "../../js/src/glue/glue.js";
import { linkAtOnce } from "../../js/src/linking/link.js";
import { readInterface } from "../../js/src/wasm/binary.js";

const typescript = new API({});
const found = {};
for (const [name, { glue, wasm, types }] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const parsed = read(pathToFileURL(glue));
  const description = describe(parsed, readInterface(new Uint8Array(readFileSync(wasm)), wasm));
  found[name] = { description, declared: declarations(types) };
}
typescript.close();
// The runtime describes a module to Python without `consumes`, which only the lanes need.
process.stdout.write(JSON.stringify(found, (key, value) => (key === "consumes" ? undefined : value)));

/** Reads glue for any target. What is no glue for the web is linked first. */
function read({ href }) {
  const source = readFileSync(new URL(href), "utf8");
  try {
    return readGlue(source, href);
  } catch (error) {
    const readFile = (url) => ({ url, bytes: new Uint8Array(readFileSync(new URL(url))) });
    const linked = linkAtOnce({ source, url: href }, readFile, error);
    return readGlue(linked.source, linked.url, linked);
  }
}

/** Returns the parameters of each function, method and constructor, for each way to call it. */
function declarations(file) {
  const project = typescript.updateSnapshot({ openFiles: [file] }).getDefaultProjectForFile(file);
  const found = {};
  const add = (place, node) => (found[place] ??= []).push(parameters(node));
  const visit = (statement) => {
    if (is.isFunctionDeclaration(statement)) add(statement.name.text, statement);
    else if (is.isVariableStatement(statement)) constants(statement, add);
    else if (is.isClassDeclaration(statement) || is.isInterfaceDeclaration(statement)) members(statement, add);
    else if (is.isModuleDeclaration(statement) && statement.name.text !== "global")
      statement.body?.statements?.forEach(visit);
  };
  project.program.getSourceFile(file).statements.forEach(visit);
  return found;
}

function constants(statement, add) {
  for (const { name, type } of statement.declarationList.declarations) {
    if (type && is.isFunctionTypeNode(type)) add(name.text, type);
    if (!type || !is.isTypeLiteralNode(type)) continue;
    for (const member of type.members) {
      if (is.isCallSignatureDeclaration(member)) add(name.text, member);
      if (!is.isConstructSignatureDeclaration(member)) continue;
      // This is the form of a class in the output of tools that join declarations.
      add(name.text, member);
      methods(name.text, member.type.members, add);
    }
  }
}

function members(statement, add) {
  for (const member of statement.members) {
    // A private constructor has a modifier.
    if (is.isConstructorDeclaration(member) && !member.modifiers?.length) add(statement.name.text, member);
  }
  methods(statement.name.text, statement.members, add);
}

function methods(owner, members, add) {
  for (const member of members) {
    const isMethod = is.isMethodDeclaration(member) || is.isMethodSignatureDeclaration(member);
    if (isMethod && is.isIdentifier(member.name)) add(`${owner}.${member.name.text}`, member);
  }
}

/** Returns each parameter's name, whether it is optional (as type any is), and whether it is a rest parameter. */
function parameters(node) {
  return node.parameters
    .filter(({ name }) => name.text !== "this")
    .map(({ name, type, questionToken, initializer, dotDotDotToken }, at) => {
      const isOptional = Boolean(questionToken ?? initializer) || type?.getText() === "any";
      return [name.text ?? `arg${at}`, isOptional, Boolean(dotDotDotToken)];
    });
}
