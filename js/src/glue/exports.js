/** Reads which exports a module has. */

/** @import {GlueExport} from "../types.js" */

/** @param {any} program @returns {GlueExport[]} */
export function readExports(program) {
  /** @type {GlueExport[]} */
  const exported = [];
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") {
      const { declaration } = statement;
      exported.push({ name: "default", local: declaration.id?.name ?? declaration.name ?? null });
    } else if (statement.type === "ExportNamedDeclaration" && !statement.source) {
      for (const { local, exported: as } of statement.specifiers) {
        exported.push({ name: as.name ?? as.value, local: local.name });
      }
      const { declaration } = statement;
      if (declaration?.id) exported.push({ name: declaration.id.name, local: declaration.id.name });
      for (const { id } of declaration?.declarations ?? []) exported.push({ name: id.name, local: id.name });
    }
  }
  return exported;
}
