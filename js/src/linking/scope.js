/**
 * Finds out which variable each name of a module means. Modules that are joined share one scope, so that names have to
 * change where they would meet.
 */

import { isFunction } from "../glue/syntax.js";

/**
 * A place where a variable is named.
 * @typedef {{start: number, end: number, name: string, scope: Scope, isShort: boolean, node: any}} Mention
 *   isShort: it is also the key of a property, as in `{ name }`
 */
/**
 * @typedef {{name: string, kind: string, mentions: Mention[], isSet: boolean}} Variable
 *   kind: that of its declaration; isSet: something besides its one declaration sets it
 */
/**
 * @typedef {{parent: Scope | null, isFunction: boolean, variables: Map<string, Variable>}} Scope
 */
/**
 * @typedef {{top: Map<string, Variable>, globals: Map<string, Mention[]>, names: Set<string>}} ModuleScope
 *   top: the variables of the whole module; globals: names that no declaration explains; names: all that occur
 */

/** The fields of a node that hold no expression. */
const LEFT_OUT = new Set(["label", "imported", "exported", "attributes"]);

/**
 * There is no recursion, because a file may nest to any depth.
 * @param {any} program
 * @returns {ModuleScope}
 */
export function readScope(program) {
  const reading = new Reading();
  reading.run(program);
  return reading.resolve();
}

class Reading {
  constructor() {
    /** @type {Scope} */
    this.module = makeScope(null, true);
    /** @type {Mention[]} those that are no declarations */
    this.mentions = [];
    /** @type {Set<any>} the nodes of names that an assignment sets */
    this.set = new Set();
    this.names = new Set();
    /** @type {{node: any, scope: Scope, isShort?: boolean}[]} */
    this.waiting = [];
  }

  /** @param {any} program */
  run(program) {
    this.waiting.push({ node: program, scope: this.module });
    for (let next = this.waiting.pop(); next; next = this.waiting.pop()) this.visit(next);
  }

  /** @param {{node: any, scope: Scope, isShort?: boolean}} part */
  visit({ node, scope, isShort = false }) {
    const { type } = node;
    if (type === "MetaProperty") return;
    if (type === "Identifier") this.mention(node, scope, isShort);
    else if (isFunction(node)) this.visitFunction(node, scope);
    else if (/^Class[DE]/.test(type)) this.visitClass(node, scope);
    else if (type === "VariableDeclaration") {
      const target = node.kind === "var" ? functionScope(scope) : scope;
      for (const { id, init } of node.declarations) {
        this.declare(id, node.kind, target, scope);
        if (init) this.waiting.push({ node: init, scope });
      }
    } else if (type === "ImportDeclaration") {
      for (const { local } of node.specifiers) this.declare(local, "import", scope, scope);
    } else if (type === "ExportNamedDeclaration") {
      if (node.declaration) this.waiting.push({ node: node.declaration, scope });
    } else if (type === "CatchClause") {
      const inner = makeScope(scope, false);
      if (node.param) this.declare(node.param, "let", inner, inner);
      this.waiting.push({ node: node.body, scope: inner });
    } else if (type === "Property") this.visitProperty(node, scope);
    else {
      if (type === "AssignmentExpression" || /^For(In|Of)/.test(type)) this.noteSet(node.left);
      if (type === "UpdateExpression") this.noteSet(node.argument);
      const isBlock = type === "StaticBlock" || /^(BlockStatement|For\w*Statement|SwitchStatement)$/.test(type);
      this.visitChildren(node, isBlock ? makeScope(scope, type === "StaticBlock") : scope);
    }
  }

  /** @param {any} node @param {Scope} scope */
  visitChildren(node, scope) {
    const isName = node.type === "MemberExpression" ? "property" : "key";
    for (const [field, value] of Object.entries(node)) {
      if (LEFT_OUT.has(field) || (field === isName && !node.computed)) continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === "string") this.waiting.push({ node: child, scope });
      }
    }
  }

  /** @param {any} node @param {Scope} scope */
  visitProperty({ key, value, computed, shorthand }, scope) {
    if (computed) this.waiting.push({ node: key, scope });
    if (shorthand && value.type === "AssignmentPattern") {
      this.waiting.push({ node: value.left, scope, isShort: true }, { node: value.right, scope });
    } else this.waiting.push({ node: value, scope, isShort: shorthand });
  }

  /** @param {any} node @param {Scope} scope */
  visitFunction({ type, id, params, body }, scope) {
    let outer = scope;
    if (id && type === "FunctionDeclaration") this.declare(id, "function", scope, scope);
    else if (id) {
      outer = makeScope(scope, false);
      this.declare(id, "function", outer, outer);
    }
    const inner = makeScope(outer, true);
    for (const param of params) this.declare(param, "param", inner, inner);
    if (body.type === "BlockStatement") this.visitChildren(body, inner);
    else this.waiting.push({ node: body, scope: inner });
  }

  /** @param {any} node @param {Scope} scope */
  visitClass({ type, id, superClass, body, decorators = [] }, scope) {
    let inner = scope;
    if (id && type === "ClassDeclaration") this.declare(id, "class", scope, scope);
    else if (id) {
      inner = makeScope(scope, false);
      this.declare(id, "class", inner, inner);
    }
    for (const node of [superClass, body, ...decorators]) if (node) this.waiting.push({ node, scope: inner });
  }

  /**
   * Declares the names of a pattern.
   * @param {any} pattern @param {string} kind @param {Scope} target gets them
   * @param {Scope} scope for the expressions in the pattern
   */
  declare(pattern, kind, target, scope) {
    /** @type {{node: any, isShort: boolean}[]} */
    const parts = [{ node: pattern, isShort: false }];
    for (let part = parts.pop(); part; part = parts.pop()) {
      const { node, isShort } = part;
      switch (node?.type) {
        case "Identifier": {
          const known = target.variables.get(node.name);
          /** @type {Variable} */
          const variable = known ?? { name: node.name, kind, mentions: [], isSet: false };
          if (known) known.isSet = true;
          target.variables.set(node.name, variable);
          this.names.add(node.name);
          variable.mentions.push(mentionOf(node, target, isShort));
          break;
        }
        case "AssignmentPattern":
          parts.push({ node: node.left, isShort });
          this.waiting.push({ node: node.right, scope });
          break;
        case "RestElement":
          parts.push({ node: node.argument, isShort: false });
          break;
        case "ArrayPattern":
          for (const element of node.elements) parts.push({ node: element, isShort: false });
          break;
        case "ObjectPattern":
          for (const property of node.properties) {
            if (property.computed) this.waiting.push({ node: property.key, scope });
            parts.push({ node: property.value ?? property, isShort: Boolean(property.shorthand) });
          }
      }
    }
  }

  /** @param {any} node @param {Scope} scope @param {boolean} isShort */
  mention(node, scope, isShort) {
    this.names.add(node.name);
    this.mentions.push(mentionOf(node, scope, isShort));
  }

  /** @param {any} target of an assignment */
  noteSet(target) {
    const parts = [target];
    for (let node = parts.pop(); node; node = parts.pop()) {
      if (node.type === "Identifier") this.set.add(node);
      else if (node.type === "AssignmentPattern") parts.push(node.left);
      else if (node.type === "RestElement") parts.push(node.argument);
      else if (node.type === "ArrayPattern") parts.push(...node.elements.filter(Boolean));
      else if (node.type === "ObjectPattern")
        parts.push(...node.properties.map((/** @type {any} */ property) => property.value ?? property));
    }
  }

  /** @returns {ModuleScope} */
  resolve() {
    /** @type {Map<string, Mention[]>} */
    const globals = new Map();
    for (const mention of this.mentions) {
      /** @type {Scope | null} */
      let scope = mention.scope;
      while (scope && !scope.variables.has(mention.name)) scope = scope.parent;
      const variable = scope?.variables.get(mention.name);
      if (variable) {
        variable.mentions.push(mention);
        variable.isSet ||= this.set.has(mention.node);
      } else if (globals.has(mention.name)) globals.get(mention.name)?.push(mention);
      else globals.set(mention.name, [mention]);
    }
    return { top: this.module.variables, globals, names: this.names };
  }
}

/** @param {Scope | null} parent @param {boolean} isFunction @returns {Scope} */
function makeScope(parent, isFunction) {
  return { parent, isFunction, variables: new Map() };
}

/** Where `var` declares. @param {Scope} scope */
function functionScope(scope) {
  let target = scope;
  while (!target.isFunction) target = /** @type {Scope} */ (target.parent);
  return target;
}

/** @param {any} node @param {Scope} scope @param {boolean} isShort @returns {Mention} */
function mentionOf(node, scope, isShort) {
  return { start: node.start, end: node.end, name: node.name, scope, isShort, node };
}

/**
 * The variables inside of functions and blocks that would hide a name of the whole module.
 * @param {Mention[]} mentions where that name is to stand @param {string} name
 * @returns {Set<Variable>}
 */
export function hiding(mentions, name) {
  const variables = new Set();
  for (const { scope: inner } of mentions) {
    for (let scope = inner; scope.parent; scope = scope.parent) {
      const variable = scope.variables.get(name);
      if (variable) variables.add(variable);
    }
  }
  return variables;
}
