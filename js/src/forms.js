/**
 * What packages need that are not glue for the web: a file of its own, which the runtime asks its host for when it
 * meets such a package. The bundle for plain JavaScript holds it too.
 */

export { link, linkAtOnce } from "./linking/link.js";
export { adaptRaw } from "./raw/raw.js";
