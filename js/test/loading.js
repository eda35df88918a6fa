/** Loads packages of all forms, as the hosts do. */

import * as forms from "../src/forms.js";
import * as load from "../src/load/load.js";

export const loadModule = (options, how) => load.loadModule(options, { forms: () => forms, ...how });
export const loadModuleSync = (options, how) => load.loadModuleSync(options, { forms: () => forms, ...how });
