declare global {
  interface ErrorConstructor {
    /** V8's; elsewhere assigning it does nothing. */
    stackTraceLimit: number;
  }
}

/** Shapes that the runtime's modules share. */

/** The name of a kind that has no other fields. */
export type PlainKind =
  /** An i32 or a u32: the glue does not tell. */
  | "i32"
  /** One of i8, u8, i16 and u16: the glue does not tell. */
  | "int16"
  /** An i64 or a u64. */
  | "int64"
  /** An i128 or a u128. */
  | "int128"
  | "i8"
  | "u8"
  | "i16"
  | "u16"
  /** An i32, and no u32. */
  | "s32"
  | "u32"
  | "i64"
  | "u64"
  | "i128"
  | "u128"
  | "bigint"
  /** A float that an f32 can hold, rounded. */
  | "f32"
  /** An f64, or an f32 where the glue does not tell. */
  | "float"
  /** An integer or a float. */
  | "number"
  | "bool"
  | "string"
  | "char"
  | "function"
  | "stream"
  | "void"
  | "any"
  /** The glue does not tell. */
  | "unknown"
  /** The same, but it crosses as an i32. */
  | "word";

/** The element type of a typed array. */
export type Element = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "f32" | "f64";

/** Which kind of value a parameter takes or a result is; py/unpanic/_bridge/kinds.py has the same. */
export type Kind =
  | { name: PlainKind }
  /** `className`: the exported struct, or the exported enum. */
  | { name: "object" | "enum"; className: string }
  /** A typed array of numbers. */
  | { name: "array"; element: Element }
  | { name: "list"; element: "string" }
  | { name: "list"; element: "object" | "enum"; className: string };

/** The type of a Wasm function, as names of value types. */
export interface Signature {
  params: string[];
  results: string[];
}

type ExternalKind = "function" | "table" | "memory" | "global" | "tag";

/** `type`: the name of a value type. */
export interface GlobalType {
  type: string;
  mutable: boolean;
}

/** What a Wasm file without glue imports, by module and name: functions, and numbers for globals. */
export type Imports = Record<string, Record<string, unknown>>;

/** The imports and exports of a Wasm module. */
export interface WasmInterface {
  imports: { module: string; name: string; kind: ExternalKind; signature: Signature | null; global?: GlobalType }[];
  exports: {
    name: string;
    kind: ExternalKind;
    /** Among all functions, tables, memories or globals. */
    index?: number;
    signature: Signature | null;
    elements?: string;
    global?: GlobalType;
  }[];
  /** It throws or catches exceptions: built with panic=unwind. */
  unwinds: boolean;
  /** It has a start section, so that to instantiate it runs some of it. */
  startsByItself: boolean;
  /** Threads can run in its memory: null where it came compiled, which does not tell. */
  sharesMemory: boolean | null;
  /** Where its shadow stack begins; 0: unknown. */
  stackTop: number;
  /** How many pages its memory can have. */
  memoryPages: number;
}

/** Where a module that was rewritten for rollback marks what it writes: a byte for each 4 KiB of its memory. */
export interface CardTable {
  address: number;
  /** In bytes. */
  length: number;
  /** The global that points to the end of Rust's stack; null: it is not known. */
  stackPointer: number | null;
}

/** What the section of a rewritten file says. */
export interface RewrittenMark {
  /** What it was rewritten for, as in `LoadOptions.rewrites`. */
  options: number;
  /** How it was rewritten, and the hash of the original, in hexadecimal digits. */
  fingerprint: string;
  /** null: what it writes is not marked. */
  cards: CardTable | null;
}

/** A finalizer of the glue. */
export interface Registration {
  registry: {
    register(target: object, held: unknown, token: object): void;
    unregister(token: object): boolean;
    /** Registers again what was registered before. */
    renew(target: object, registration: Registration, token: object): void;
    /** The finalizer itself. */
    free(held: any): void;
  };
  target: WeakRef<object>;
  /** The address of a Rust object, alone or as `ptr` of an object; or the state of a closure. */
  held: any;
  /** What the state of a closure was; null: it is no closure. */
  copy: object | null;
}

/** The memory of an earlier state: its size, and those of its cards that have changed since. */
export interface KeptMemory {
  size: number;
  cards: Map<number, Uint8Array>;
}

/** A copy of an instance's memory, as those see it who write to that memory. */
export interface Shadow {
  memory: WebAssembly.Memory;
  /** Notes that JavaScript writes there. */
  mark(address: number, length: number): void;
  /** The copy of the memory, as the transaction began. */
  copy: Uint8Array;
  /** Where the marks are, which lie in the memory. */
  table: number;
  tableEnd: number;
  /** The state that memory has now is the one to go back to. Throws a RangeError if there is no room for the copy. */
  commit(): void;
  /** The cards that are marked now, and marks some again. */
  markedCards(): number[];
  markCards(marked: number[]): void;
  /** JavaScript may write there from now on, and nobody notes it. */
  giveAway(isLent: boolean): void;
  isGivenAway: boolean;
  readonly isLent: boolean;
  /** Of the copy. */
  readonly byteLength: number;
}

/** What a call changes, so that it can be undone; the class is in instance/transaction.js. */
export interface Transaction {
  shadow: Shadow;
  /** The code that long calls run, and which are long. */
  plain: { begin(exports: WebAssembly.Exports): void } | null;
  /** Whether a call runs whose changes can be undone. */
  isOpen: boolean;
  /** Whether the event loop has called, and nobody else. */
  isEntry: boolean;
  /** Would a crash undo the transaction? */
  readonly canUndo: boolean;
  /** The frames on Rust's stack: gives what writes them again. */
  readFrames(): () => void;
  /** Gives back what something took that was undone. Throws if a table would keep its size. */
  shrink(): void;
  /** Does a call run whose changes can be undone? */
  readonly isRunning: boolean;
  tables: WebAssembly.Table[];
  /** The first number of an object that is handed out in this transaction. */
  firstId: number;
  /** A call begins. Throws a RangeError if the browser has no room for a copy of the memory. */
  begin(): void;
  /** It did not begin: from here on nothing is known of the memory. */
  spoil(): void;
  /** Its call has returned, and cannot be undone any more. */
  end(): void;
  /** Brings the state into another instance of the module. */
  moveTo(globals: WebAssembly.Global[], tables: WebAssembly.Table[]): void;
  /** Brings everything back that the call has changed; gives how many bytes of memory that was. */
  undo(): number;
  /** Rust overwrites a slot of a table. */
  noteDropped(table: number, index: number, value: unknown): void;
  /** A closure is called or dropped, which changes its state. */
  noteState(state: object): void;
  /** An object goes into a call, which may consume it. */
  notePointer(object: object): void;
  /** A call has consumed an object that the other side holds by that number. */
  noteMoved(id: number, object: object): void;
  noteRegistered(token: object, registration: Registration): void;
  noteUnregistered(token: object, registration: Registration): void;
  /** JavaScript gets this in the place of a closure. */
  noteLent(lent: Function): void;
  forgetPoint(kept: KeptMemory): void;
}

/** What settles a promise that the glue has made. */
export interface Settler {
  promise: Promise<unknown>;
  resolve: Function;
  reject: Function;
  settled: boolean;
}

/** The entries of the event loop into a module that can be rolled back; the class is in instance/entries.js. */
export interface Entries {
  /** Closures that will not be called again unless they run now. */
  continuations: WeakSet<Function>;
  /** Panics with which polls have rejected a promise, and which were undone. */
  reasons: WeakMap<object, Diagnosis>;
  /** JavaScript calls what it got in the place of a closure. */
  run(closure: Function, lent: Function, args: unknown[]): unknown;
  /** Rust calls what may be a poll. */
  poll(future: number, context: number, slot: number): number;
  /** A panic that Rust has caught rejects a promise. */
  noteRejected(reason: object): void;
  /** The generation dies: gives the crash of a future that was not dropped yet. */
  takeFailed(): Diagnosis | undefined;
  /** Another instance takes the place of the one that was there. */
  moveTo(exports: WebAssembly.Exports): void;
}

/** Through this the glue of a generation reaches its transaction, which is made after the glue. */
export interface Holder {
  shadow: Shadow | null;
  transaction: Transaction | null;
  /** The finalizers that may still run. */
  live: Set<Registration>;
  /** Whether Rust has made a view of its memory for JavaScript, or has got the memory itself. */
  lendsMemory: boolean;
}

/**
 * Why a generation cannot go on after a throw on purpose: objects stay `borrowed`, or too much of the `stack` is lost;
 * `crashed`: not even the call was innocent. Empty: it can.
 */
export type Reason = "" | "borrowed" | "stack" | "crashed";
/**
 * wasm-bindgen refuses to use an object that another call has borrowed, one that is gone, and a closure that is gone.
 */
export type Refused = "in use" | "gone" | "closure";

export type WasmSource = string | URL | Response | ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module;
/** Bytes so far, and all that will come, where the server tells. */
export type OnProgress = (loaded: number, total: number | null) => void;
/** A hash as base64; `algorithm` is sha256, sha384 or sha512. */
export type Digest = (algorithm: string, bytes: Uint8Array<ArrayBuffer>) => string;
export interface LoadOptions {
  /** Ends a load that is under way. */
  signal?: AbortSignal;
  onProgress?: OnProgress;
  /** As in HTML: hashes, of which each file must have one. */
  integrity?: string;
  digest?: Digest;
  /** The rewriter: with it, the Wasm file is rewritten. */
  rewriter?: Uint8Array<ArrayBuffer>;
  /** What for: the sum of DEADLINES and ROLLBACK of wasm/rewriting.js; by default DEADLINES. */
  rewrites?: number;
  /** What else, if it can be done. */
  wishes?: number;
  /** Whether the browser keeps the rewritten file for the next page load; by default it does. */
  keeps?: boolean;
  /** What packages need that are not glue for the web: a file of its own, which gets parts of the runtime. */
  forms?: (parts: Record<string, unknown>) => Forms;
}
/** What packages need that are not glue for the web. */
export interface Forms {
  /** `error` says why the text is no glue for the web; the one that is thrown may say more. */
  link(entry: GlueText, read: (url: string) => Promise<FileRead>, error: unknown): Promise<Linked>;
  linkAtOnce(entry: GlueText, read: (url: string) => FileRead, error: unknown): Linked;
  adaptRaw(compiled: Compiled, imports: Imports | undefined): Adapter;
}
export interface FileRead {
  url: string;
  bytes: Uint8Array<ArrayBuffer>;
}
/** A package as one text of glue for the web. */
export type Linked = Pick<GlueText, "source" | "url" | "target" | "wasmPath" | "wasm"> & {
  /** Of several files that were joined: the variable that holds the instance's exports. */
  wasmName?: string;
  /** The function in which the text does what waits for the instance. */
  rest?: string;
  /** The files that were joined. */
  files?: string[];
};
export interface Compiled {
  module: WebAssembly.Module;
  wasm: WasmInterface;
  /** Where it came from, for messages. */
  origin: string;
  /** Why it was not rewritten for rollback, if that was a wish. */
  whyNoRollback?: string;
  /** The modules beside the glue that the Wasm file itself imports, in builds for a bundler. */
  snippets?: Record<string, unknown>;
}
export type ReadFile = (path: string) => Uint8Array | null | undefined;
/** Glue that is here already; `readFile` brings what lies beside it. */
export interface GlueText {
  source: string;
  url: string;
  /** The same, if it was asked for elsewhere and the server redirected that. */
  movedTo?: string;
  /** As they came, where `source` was decoded from them. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** The Wasm file, where another file than the glue tells it: its place, or its bytes. */
  wasmPath?: string;
  wasm?: Uint8Array<ArrayBuffer>;
  /** What it was written for, before it was rewritten as glue for the web. */
  target?: string;
  readFile?: ReadFile;
}
/** A `WasmSource` is a Wasm file without glue, or one with its glue beside it. */
export type GlueSource = string | URL | GlueText | WasmSource | Record<string, any>;

export interface GlueImport {
  node: any;
  from: string;
}

export interface GlueExport {
  name: string;
  /** The top-level binding behind it; null for an anonymous default. */
  local: string | null;
}

/** How the glue makes an instance from a compiled module. */
export interface Initializer {
  name: string;
  node: any;
  /** The key under which it takes the module; null: it takes the module itself. */
  key: string | null;
  /** Functions whose `async` and `await` have to go. */
  asyncFunctions: any[];
}

/** A glue file, read. */
export interface Glue {
  /** As it is for the web. */
  source: string;
  /** The target that it was written for, as wasm-bindgen calls it. */
  target: string;
  url: string;
  program: any;
  comments: { start: number; end: number; value: string }[];
  bindings: Map<string, { node: any; documented: number }>;
  imports: GlueImport[];
  exports: GlueExport[];
  /** Classes of objects that Rust hands out, but that the glue does not export. */
  hiddenClasses: string[];
  /** The variable that holds the instance's exports. */
  wasmName: string;
  init: Initializer;
  /** The Wasm file that it would fetch, relative to itself. */
  wasmPath: string;
  /** In linked text, the function that does what waits for the instance. */
  rest?: string;
  usesResetState: boolean;
}

export type GlueFactory = (
  imports: unknown[],
  meta: { url: string },
  importModule: Function,
  webAssembly: typeof WebAssembly,
  promise: PromiseConstructor,
  finalizationRegistry: Function,
  /** Does `view[index] = value`. */
  store: Function,
  /** The constructors of views, see VIEWS in glue/factory.js. */
  ...views: Function[]
) => {
  exports: Record<string, any>;
  hidden: Record<string, any>;
  init: Function;
  heap?: () => unknown[];
  nextPlace?: (place?: number) => number;
  /** Does what waits for the instance. */
  rest?: Function;
  /** Gives each variable of the glue another value. */
  drop: (replace: (value: any) => any) => void;
};

export interface Parameter {
  name: string;
  kind: Kind;
  optional: boolean;
  rest: boolean;
  /** It takes the object away from JavaScript. */
  consumes: boolean;
  /** Rust writes into the array. */
  mutable?: boolean;
  /** Rust gets the value itself: no copy of its elements, so it may write into an array. */
  shared?: boolean;
}

export interface FunctionDescription {
  name: string;
  /** The name under which its calls are reported, where that is another. */
  shown?: string;
  params: Parameter[];
  result: Kind;
  isAsync: boolean;
  /** The comment before it, as it stands there. */
  doc: string;
  /** A getter of a public field: no code of the author's runs. */
  isField?: boolean;
  /** It is the package's own JavaScript, around what wasm-bindgen wrote. */
  isWrapper?: boolean;
}

export interface ClassDescription {
  name: string;
  /** The glue does not export it, but hands out its objects. */
  hidden: boolean;
  /** It is the package's own JavaScript: its objects are none of Rust's. */
  isWrapper?: boolean;
  /** null: Rust exports no constructor. */
  construct: FunctionDescription | null;
  methods: FunctionDescription[];
  statics: FunctionDescription[];
  getters: FunctionDescription[];
  setters: FunctionDescription[];
  /** Those of the class itself: `static get`, `static set`. */
  staticGetters: FunctionDescription[];
  staticSetters: FunctionDescription[];
}

/** The kinds of members of a class, as its description has them. */
export type Role = "methods" | "statics" | "getters" | "setters" | "staticGetters" | "staticSetters";

export interface Description {
  functions: FunctionDescription[];
  classes: ClassDescription[];
  constants: string[];
  /** The values of enums whose variants are strings. */
  enums: Record<string, string[]>;
  /** The comments before classes and constants. */
  docs: Record<string, string>;
  /** The exports of a Wasm file without glue that are no functions. */
  memories?: string[];
  globals?: ({ name: string } & GlobalType)[];
  /** The functions that it imports. */
  imports?: ({ module: string; name: string } & Signature)[];
}

/** A way to make generations of one package. */
export interface Adapter {
  name: "factory" | "native" | "raw";
  /** The target of wasm-bindgen that the glue was written for; empty where there is none. */
  target: string;
  description: Description;
  /** Exports that the glue calls and the Wasm file lacks; of a file without glue those that users cannot call. */
  missing: string[];
  /** Whether a generation can be made ahead of need, without anything of it running. */
  canSpare: boolean;
  /** Whether a generation can be made that gets the state of another. */
  canCopy: boolean;
  /** Fills a generation with a new instance, at once. */
  make(generation: Generation): void;
  /** The same, at the engine's leisure. */
  prepare(generation: Generation): Promise<void>;
  /** Runs the start function of a generation that `make` or `prepare` filled. */
  begin(generation: Generation): void;
  /** The module has ended. */
  release(): void;
}

export interface Location {
  file: string;
  line: number;
  column: number;
}

export interface Frame {
  function: string;
}

/** A panic as its hook reported it. */
export interface PanicRecord {
  message: string;
  /** The payload's type; empty if unknown. */
  payload: string;
  location: Location | null;
  stack: string;
  /** Stacks of JavaScript that stood in the message. */
  quoted?: string;
}

/** A diagnosis: all of it is text, except for a value that somebody threw. */
export interface Diagnosis {
  kind: "panic" | "trap" | "stack_overflow" | "out_of_memory" | "foreign" | "timeout";
  code?: string;
  message: string;
  payload?: string;
  location?: Location | null;
  stack: string;
  /** Stacks of JavaScript that stood in the message. */
  quoted?: string;
  /** kind "foreign": the value that was thrown; else what a callback or a promise of the same call raised before. */
  thrown?: { value: unknown };
}

/** A diagnosis with the call that it ended, as JavaScript errors carry it. */
export interface CrashRecord extends Omit<Diagnosis, "thrown"> {
  call: string;
  generation: number;
}

export interface InFlightCall {
  id: number;
  /** As it is reported. */
  name: string;
  /** As it is exported; empty for what was handed out. */
  path: string;
  /** An async function, as against one that gave a promise of its own making. */
  isAsync: boolean;
  promise: Promise<unknown>;
  /** The numbers of the objects that went into the call: it may borrow them until it ends. */
  objects: number[];
  /** The kind of what it brings. */
  result: Kind;
  /** null: it has ended. */
  generation: Generation | null;
}

/** A call in flight whose generation died. It holds nothing of that. */
export type EndedCall = Pick<InFlightCall, "id" | "name">;

/** How a generation ended. A function that gets it must not change it. */
export interface Death {
  /** null: it was reset. */
  diagnosis: Diagnosis | null;
  generation: number;
  /** The lane call that it happened in; 0: none. */
  activation: number;
  /** The call that failed; empty if that is not certain. */
  call: string;
  /** The async calls that may be to blame: one, if `call` names it; none, where nobody called for what crashed. */
  suspects: EndedCall[];
  /** It is one of the suspects, and nothing else. */
  isCertain: boolean;
  interrupted: EndedCall[];
  /** The generation can live on, from the state that it had before the call. */
  canRollBack: boolean;
}

/**
 * A generation, as far as those know it who do not run it. The class in instance/generation.js has all of it, and those
 * who may import that class use it instead.
 */
export interface Generation {
  number: number;
  /** null: it lives. */
  dead: Death | null;
  /** The objects that the other side holds, by number. */
  objects: Map<number, object>;
  /** The exported classes, in the order of the description. */
  classes: any[];
  inFlight: Map<number, InFlightCall>;
  /** A call is in flight no more. Gives whoever tells how it ended. */
  settle(call: InFlightCall): Owner;
}

/** The objects that went into a call that runs, and the calls around it. */
export interface Held {
  call: number;
  name: string;
  /** Those for parameters of their class, which Rust borrows or takes. */
  ids: number[];
  /** Those that JavaScript got as they are: inside of other values, or from a callback while the call runs. */
  lent: number[];
  outer: Held | null;
}

/** The questions of a generation about the objects that its module has handed out; module/objects.js answers. */
export interface Objects {
  /**
   * Rust threw something on purpose in the call that runs. `reason` says why the generation has to be replaced. `used`
   * is the object that could not be borrowed, and the call that has it.
   */
  afterThrow(
    generation: Generation,
    thrown: Thrown,
  ): { reason: Reason; used: { className: string; holder: string } | null };
  /** The call that consumed an object is undone. */
  restore(id: number): void;
  /** Is that an object of an exported class? */
  owns(value: unknown): boolean;
  /** The call that made it is undone. */
  undo(id: number): void;
}

/** An exception that an import threw; instance/throws.js tells what it means. */
export interface Thrown {
  error: unknown;
  /** Rust threw it. */
  onPurpose: boolean;
  /** Rust threw again what something else had thrown. */
  again: boolean;
  /** The use that wasm-bindgen refused before any code of the author's ran. */
  refused: Refused | null;
  /** May the frames that it left be given up? */
  leavesFrames: boolean;
}

/** How calls of an export are reported. */
export interface Lane {
  name: string;
  /** The name under which it is exported, where that is another: `Tally.countLater`. */
  path?: string;
  /** The glue says that it gives a promise. */
  isAsync?: boolean;
}

/** What ends calls that compute for too long, see instance/stopwatch.js. */
export interface Stopwatch {
  entries: number;
  paused: boolean;
  isAsking: boolean;
  importFor(generation: Generation): () => number;
  importReturned(generation: Generation): void;
  /** What follows is timed by itself. */
  nextEntry(): void;
  pauseFor<T>(generation: Generation, run: () => T): T;
  resumeFor<T>(run: () => T): T;
}

/** The module that a generation belongs to, as the generation sees it. */
export interface Owner {
  /** Ends calls that compute for too long; null: the module was not rewritten for that. */
  stopwatch: Stopwatch | null;
  active: number;
  nextId: number;
  /** The arguments of the call that failed; null: something else has run since. */
  failedArguments: unknown[] | null;
  /** Is the host asked before the event loop enters Rust? */
  isWatched: boolean;
  host: Host;
  objects: Objects;
  /** An `Err` leaves Rust as an exception. */
  throwsErr: boolean;
  /** The export that takes what an import threw. */
  storesException: string;
  /** How many pages a memory can have; NaN: no allocator of Rust's traps when it is full. */
  memoryPages: number;
  /** Where the marks of what was written are; null: the module was not rewritten for rollback. */
  cards: CardTable | null;
  /** Whether calls are rolled back when they crash. */
  rollsBack: boolean;
  /** Why they are not; empty if they are, or if nobody wanted that. */
  whyNoRollback: string;
  /** The exports that give the glue memory to write to. */
  allocators: Set<string>;
  activeName(): string;
  /** The generation's calls end here, whatever follows in the same turn of the event loop. */
  endBurst(): void;
  /** A callback or a promise that Rust waits for raised something. */
  noteRaised(error: unknown): void;
  /** The error that was noted last, in the call that runs now. */
  lastRaised(): { error: unknown } | null;
  /** Rust threw something on purpose, with nobody but the event loop above it. */
  threwUnattended(generation: Generation, thrown: Thrown, call: InFlightCall | undefined): void;
  isStarting(): boolean;
  fulfilled(call: InFlightCall, value: unknown): void;
  rejected(call: InFlightCall, reason: unknown): void;
  retireUnattended(generation: Generation): void;
  diedUnattended(generation: Generation): void;
  unwoundUnattended(generation: Generation, diagnosis: Diagnosis): void;
}

/**
 * The side that decides. A value that a function of type `unknown` returns is thrown at the caller.
 * `clear`: no frame of the module is left, so the next generation can be made now.
 */
export interface Host {
  /** How many milliseconds one entry may compute; asked when it has computed for a while. */
  limitMs?(attended: boolean, polled: number[]): number;
  /** Has the user asked to interrupt what runs? The answer takes the request. */
  isInterrupted?(): boolean;
  /** May a call begin? Asked if the module is guarded. No name: the event loop enters Rust, if it is watched. */
  entering?(name: string): unknown;
  crashed(death: Death, clear: boolean): unknown;
  interrupted(death: Death, name: string, clear: boolean): unknown;
  /** Rust itself asked for a reset, and its call has ended. `recover` follows. */
  retired(death: Death): void;
  recover(death: Death, attended?: boolean): void;
  /** The next generation is there; or why it could not be made. */
  prepared(failure: string): void;
  unavailable(name: string): unknown;
  unwound(diagnosis: Diagnosis, name: string): unknown;
  /**
   * An `Err`, or what Rust threw on purpose, with the reason why the generation has to be replaced: it may ask for
   * that.
   */
  failed(error: unknown, name: string, reason?: Reason): unknown;
  /** The same where nobody called. */
  failedUnattended(error: unknown): void;
  /**
   * An object was to be borrowed that the call `holder` has borrowed; empty: it is not known which. `error` is Rust's.
   */
  inUse(className: string, holder: string, name: string, error: unknown, reason: Reason): unknown;
  /** An object was used that is gone: Rust alone could see it. */
  gone(name: string, reason: Reason): unknown;
  /** An object that was moved into `consumer`, or freed if that is empty. */
  stale(className: string, consumer: string, name: string): unknown;
  settled(id: number, value: unknown): void;
  settledByError(id: number, name: string, reason: unknown): void;
  settledByUnwinding(id: number, name: string, diagnosis: Diagnosis): void;
  /** What the event loop ran crashed, and was undone: of an async call, or of none, then `id` is 0. */
  settledByRollback(id: number, name: string, diagnosis: Diagnosis): void;
  caughtPanic(panic: PanicRecord, generation: number): void;
  errorFor(death: Death): Error;
  /** A numeric lane does not take these arguments. */
  decline(index: number, args: ArrayLike<unknown>): unknown;
}

/* ---- what crosses between the runtime and Python ------------------------ */

/*
 * Each message is the arguments of one function call, so only plain values cross, and each message crosses once.
 * py/unpanic/_bridge/wire.py states the same messages, and tests/unit/_bridge/test_wire.py holds one file against the
 * other: the tuples below whose names end in `Fields`, `Message` or `Answer`, with their labels in this order.
 */

/** A stack text, which Python reads when somebody asks for it. */
export interface StackText {
  text(): string;
  /** Names of the Rust functions, one in each line, innermost first. */
  functions(): string;
}

/** A diagnosis as fields. All are undefined if nothing went wrong: the generation was reset. */
export type DiagnosisFields = [
  kind: Diagnosis["kind"] | undefined,
  code: string | undefined,
  message: string | undefined,
  payload: string | undefined,
  file: string | undefined,
  line: number | undefined,
  column: number | undefined,
  stack: StackText | undefined,
  cause: unknown,
];

/** The facts that an `Error` tells besides its text. */
export type DetailsFields = [name: string, keys: string[], values: unknown[], causes: unknown[]];

/**
 * A thrown value. `value` is itself, or the text of an `Error`; `exception` the Python exception that it carries, or
 * the name of an error of unpanic's own; `details` what else an `Error` tells: mostly its name, which is then all.
 */
export type ErrorFields = [
  value: unknown,
  exception: unknown,
  text: string,
  details: string | DetailsFields | undefined,
];

/**
 * A generation died. The numbers are those of async calls: of those that may be to blame, and of all others. If it can
 * be rolled back, nothing has ended yet.
 */
export type DeathMessage = [
  ...diagnosis: DiagnosisFields,
  call: string,
  generation: number,
  activation: number,
  clear: boolean,
  suspects: number[] | undefined,
  interrupted: number[] | undefined,
  isCertain: boolean,
  canRollBack: boolean,
];
/** A call ends because its generation has died in another one. */
export type InterruptedMessage = [call: string, clear: boolean];
/** No frame of the dead generation is left. */
export type RecoverMessage = [attended: boolean];
/** Code computes: how many seconds may it? `attended`: somebody called it. */
export type EnteringMessage = [call: string];

export type LimitMessage = [attended: boolean, polled: number[]];
/** The engine has made the next generation, if `obstacle` is empty. */
export type PreparedMessage = [obstacle: Obstacle, text: string];
/** A call found no generation, and none could be made. */
export type UnavailableMessage = [call: string];
/** A panic or a foreign exception ran the destructors: the generation lives on. */
export type UnwoundMessage = [...diagnosis: DiagnosisFields, call: string];
/** An `Err`, or what Rust threw on purpose. */
export type FailedMessage = [...error: ErrorFields, call: string, reason: Reason];
/** The same where nobody called. */
export type FailedUnattendedMessage = [...error: ErrorFields];
/** An object was to be borrowed that the call `holder` has borrowed; empty: it is not known which. */
export type InUseMessage = [className: string, holder: string, call: string, text: string, reason: Reason];
/** An object was used that is gone: Rust alone could see it. */
export type GoneMessage = [call: string, reason: Reason];
/** An object was used that was moved into `consumer`, or freed if that is empty. */
export type StaleMessage = [className: string, consumer: string, call: string];
/** An async call returned. */
export type SettledMessage = [id: number, value: unknown];
/** An async call returned `Err`. */
export type SettledByErrorMessage = [id: number, ...error: ErrorFields, call: string];
/** A panic unwound to the event loop, out of an async call, or out of a task that nobody waits for: its `id` is 0. */
export type SettledByUnwindingMessage = [id: number, ...diagnosis: DiagnosisFields, call: string];
/** What the event loop ran crashed, and was undone: a poll of an async call, or what nobody waits for: `id` is 0. */
export type SettledByRollbackMessage = [id: number, ...diagnosis: DiagnosisFields, call: string];
/** A handler raised that should have ended an async call; 0 is no call. */
export type AbandonedMessage = [id: number];
/** Rust caught a panic itself. */
export type CaughtPanicMessage = [...diagnosis: DiagnosisFields, generation: number];
/** The numeric lane of the function at a place declined; `names`, with commas between, are of the last arguments. */
export type DeclineMessage = [place: number, names: string, ...args: unknown[]];
/** JavaScript calls a Python callable. */
export type CalledMessage = [number: number, ...args: unknown[]];
/** It will not do so again. */
export type DroppedMessage = [number: number];
/** A call into a module that was unloaded, or that was unloaded while the call ran. */
export type UnloadedMessage = [module: string, call: string, wasRunning: boolean];

/**
 * Why there is no next generation. `preparing`: the engine is making its instance; `memory`: the browser has no memory
 * for it; `start`: its start function crashed; `other`. Empty: there is one.
 */
export type Obstacle = "" | "preparing" | "memory" | "start" | "other";
/** The answer of `Driver.renew`, if it is not the number of the generation. */
export type RenewAnswer = [obstacle: Obstacle, text: string];
/** The answer of `Driver.rollBack`: why it cannot be done, empty if it was; and the calls in flight that end. */
export type RollBackAnswer = [obstacle: string, interrupted: number[]];

export type PackAnswer = [obstacle: string, memory: Uint8Array, rest: string];

/** The files of a package as URLs, the name of its module, its version, and what to write for this version. */
export type PackageAnswer = [glue: string, wasm: string, types: string, name: string, version: string, pinned: string];

export type GoBackAnswer = [obstacle: string, interrupted: number[], objects: number[]];
/** How the module has been used. */
export type StatisticsAnswer = [
  calls: number,
  returned: number,
  inFlight: number,
  memoryBytes: number,
  spare: "off" | "preparing" | "ready",
  spareBytes: number,
  shadowBytes: number,
  gaveMemoryAway: boolean,
  obstacle: string,
];
/** When calls ran: the time now, then the `BurstFields` of each burst, one behind the other. */
export type BurstsAnswer = [now: number, ...bursts: number[]];
/** Calls of one turn of the event loop; times by `performance.now()`. */
export type BurstFields = [began: number, ended: number, calls: number, generation: number];

/** An object that knows by a number which generation lives. */
export interface Marked {
  generation: number;
}

/**
 * Python's side of a host: PyProxies of the methods of `Supervisor`; after `unload` two functions that hold none.
 * hosts/python/raising.js tells how what they raise arrives. Those that give a number give an address; 0: nothing is
 * thrown.
 */
export interface PythonHandlers {
  /** The supervisor itself. */
  supervisor?: Marked;
  crashed?(...message: DeathMessage): number;
  interrupted(...message: InterruptedMessage): number;
  retired?(...message: DeathMessage): number;
  recover?(...message: RecoverMessage): number;
  limit?(...message: LimitMessage): number;
  entering?(...message: EnteringMessage): number;
  /** A handler raised, and will be called again. */
  raised?(): void;
  prepared?(...message: PreparedMessage): number;
  unavailable(...message: UnavailableMessage): number;
  unwound?(...message: UnwoundMessage): number;
  failed?(...message: FailedMessage): number;
  failedUnattended?(...message: FailedUnattendedMessage): void;
  inUse?(...message: InUseMessage): number;
  gone?(...message: GoneMessage): number;
  stale?(...message: StaleMessage): number;
  settled?(...message: SettledMessage): void;
  settledByError?(...message: SettledByErrorMessage): void;
  settledByUnwinding?(...message: SettledByUnwindingMessage): void;
  settledByRollback?(...message: SettledByRollbackMessage): void;
  abandoned?(...message: AbandonedMessage): void;
  caughtPanic?(...message: CaughtPanicMessage): void;
  decline?(...message: DeclineMessage): unknown;
  called?(...message: CalledMessage): unknown;
  /** `called` raised what it should have returned. */
  escaped?(): unknown;
  dropped?(...message: DroppedMessage): void;
}
