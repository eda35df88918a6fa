/**
 * The types of the npm package's entry `unpanic`. `conforms.ts` holds them against the sources.
 *
 *     import { Crash, load } from "unpanic";
 *     const bank = await load<typeof import("./pkg/bank.js")>("/pkg/bank.js");
 *     bank.exports.add(2, 3);
 */

/** What a Wasm file without glue imports, by module and name: functions, and numbers for globals. */
export type Imports = Record<string, Record<string, unknown>>;

export type WasmSource = string | URL | Response | ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module;

/** `npm:NAME@VERSION`, the URL of the glue, its imported namespace, or a Wasm file without glue. */
export type GlueSource = WasmSource | Record<string, any>;

/** A place in Rust's sources. */
export interface Location {
  file: string;
  line: number;
  column: number;
}

/** A panic, as the hook in the module tells it. */
export interface PanicRecord {
  message: string;
  /** The payload's type; empty if unknown. */
  payload: string;
  location: Location | null;
  stack: string;
}

export type CrashKind = "panic" | "trap" | "stack_overflow" | "out_of_memory" | "foreign" | "timeout";

/** What is known of a crash. */
export interface CrashRecord {
  kind: CrashKind;
  code?: string;
  message: string;
  payload?: string;
  location?: Location | null;
  stack: string;
  /** The export that crashed. */
  call: string;
  /** The generation that it ended. */
  generation: number;
}

export interface LoadOptions {
  /** Default: the file that the glue would fetch. */
  wasm?: WasmSource;
  imports?: Imports;
  /** Default: the name of the glue's file, or of its package or folder. */
  name?: string;
  /** Called at every panic. */
  onPanic?: (panic: PanicRecord) => void;
  /** Called when the next generation is ready. */
  onReset?: () => void;
  /** Whether to keep a generation made ahead of need, which takes memory twice. */
  spare?: boolean;
  /** Ends a load that is under way. */
  signal?: AbortSignal;
  /** Hears of the Wasm file's bytes as they come; `total` is null where the server does not tell. */
  onProgress?: (loaded: number, total: number | null) => void;
  /** Hashes as in HTML (`sha384-…`), with spaces between them. */
  integrity?: string;
}

/** A module that is kept running. */
export interface Module<Exports> {
  /** The Rust exports, of whichever generation lives. */
  exports: Exports;
  /** Drops this generation now; calls in flight are interrupted. */
  reset: () => void;
  /** Ends the module and frees all. */
  unload: () => void;
  /** The number of the generation that lives, from 0. */
  readonly generation: number;
}

/**
 * Loads a package that wasm-bindgen wrote, for whatever target, and keeps it running: a crash costs the caller an
 * error, and the next call finds a fresh instance. `Exports` are the types that wasm-bindgen wrote beside the glue.
 * @throws {LoadError} nothing is left half loaded
 */
export function load<Exports = Record<string, any>>(glue: GlueSource, options?: LoadOptions): Promise<Module<Exports>>;

/**
 * Says where packages come from that are loaded by their names.
 * @param options `base`: a URL with `{name}`, `{path}` and maybe `{version}` in it; default: jsDelivr
 */
export function npm(options: { base?: string | null }): void;

/**
 * The text of `bank.factory.js` for the glue `bank.js`: for pages whose content security policy forbids to compile
 * source text.
 * @param source the glue's text
 * @param url its name, for messages
 * @throws {GlueError} it is not wasm-bindgen's output for the web
 */
export function makeFactory(source: string, url: string): string;

/** The class of all errors below. */
export class UnpanicError extends Error {}

export class LoadError extends UnpanicError {}

/** A file did not come. */
export class FetchError extends LoadError {
  url: string;
  status?: number | undefined;
}

/** The file is no glue that can be loaded. */
export class GlueError extends LoadError {}

/** The engine refuses the Wasm file. */
export class CompileError extends LoadError {}

/** The module crashed while it started. */
export class StartError extends LoadError {}

/** A call crashed. */
export class Crash extends UnpanicError {
  record: CrashRecord;
  kind: CrashKind;
  location?: Location | null | undefined;
}

/** The call was in flight when another call crashed. */
export class CallInterrupted extends UnpanicError {
  crash: CrashRecord | null;
}

/** The object was made by an earlier generation, was freed, or was moved. */
export class StaleObjectError extends UnpanicError {}

/** No generation will follow. */
export class ModuleTerminated extends UnpanicError {}
