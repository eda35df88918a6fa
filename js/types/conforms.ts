// Nobody imports this file: `tsc` fails in it if the declared types and the sources do not agree.

import type * as source from "../src/index.js";
import type * as declared from "./unpanic.js";

type Names<Left, Right> = Exclude<keyof Left, keyof Right>;
type Instances<Modules> = {
  [Name in keyof Modules]: Modules[Name] extends new (...args: any) => infer It ? It : never;
};

export const undeclared: Names<typeof source, typeof declared> extends never ? true : never = true;
export const invented: Names<typeof declared, typeof source> extends never ? true : never = true;

/** What the sources have is what was declared. */
export const functions = (has: typeof source): Pick<typeof declared, "npm" | "makeFactory"> => has;
export const errors = (has: Instances<typeof source>): Instances<typeof declared> => has;
export const options = (takes: declared.LoadOptions): Parameters<typeof source.load>[1] => takes;
export const sources = (takes: declared.GlueSource): Parameters<typeof source.load>[0] => takes;
type Loaded = Awaited<ReturnType<typeof source.load>>;
export const modules = (has: Loaded): declared.Module<Record<string, unknown>> => has;
export const panics = (hears: (panic: declared.PanicRecord) => void): NonNullable<Options["onPanic"]> => hears;
type Options = NonNullable<Parameters<typeof source.load>[1]>;
