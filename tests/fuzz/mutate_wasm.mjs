/** Makes wrong Wasm files of every kind: bits, sections, lengths, or no Wasm at all. */

import { pickPackage } from "./corpus.mjs";

/** @import {Random} from "./random.mjs" */
/** @typedef {{id: number, content: Uint8Array}} Section */

const HEADER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const CODE = 10;
const DATA = 11;
const OTHERS = [
  "",
  "<!doctype html><title>404</title>",
  '{"error": 404}',
  "version https://git-lfs.github.com/spec/v1\n",
  "\x1f\x8b\x08",
  "\0asm",
  "\0asm\x0d\0\x01\0",
  "\0asm\x02\0\0\0",
  "MZ",
];

/** @param {Uint8Array} bytes @param {number} at @returns {[number, number]} the value and what comes after it */
function readLeb(bytes, at) {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
  }
}

/** @param {number} value */
function leb(value) {
  const bytes = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

/** @param {Uint8Array} bytes a valid file @returns {Section[]} */
function split(bytes) {
  const sections = [];
  for (let at = HEADER.length; at < bytes.length; ) {
    const [size, start] = readLeb(bytes, at + 1);
    sections.push({ id: bytes[at], content: bytes.slice(start, start + size) });
    at = start + size;
  }
  return sections;
}

/** @param {Uint8Array[]} parts */
function concat(parts) {
  return new Uint8Array(Buffer.concat(parts));
}

/** @param {Section[]} sections @param {(index: number) => number[] | null} [length] another length for a section */
function join(sections, length = () => null) {
  return concat([
    HEADER,
    ...sections.flatMap(({ id, content }, index) => [
      Uint8Array.of(id, ...(length(index) ?? leb(content.length))),
      content,
    ]),
  ]);
}

const WRONG_NUMBERS = [
  [0],
  [0x7f],
  [0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  Array(12).fill(0x80),
  Array(300).fill(0xff),
];

/**
 * Rarely picks the code, which is nine tenths of a file, because readers of the file read the rest.
 * @param {Random} random @param {Section[]} sections
 */
function pickSection(random, sections) {
  const outside = sections.filter(({ id }) => id !== CODE);
  return random.pick(random.chance(0.7) && outside.length ? outside : sections);
}

/** @param {Random} random @param {Uint8Array} bytes */
function flip(random, bytes) {
  if (bytes.length) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
}

/**
 * @type {Record<string, (random: Random, sections: Section[]) => Uint8Array | void>} changes the sections, or gives a
 * file
 */
const MUTATIONS = {
  "bits flipped"(random, sections) {
    for (let count = 1 + random.below(4); count--; ) flip(random, pickSection(random, sections).content);
  },
  "data changed"(random, sections) {
    for (const { id, content } of sections) if (id === DATA) for (let count = 40; count--; ) flip(random, content);
  },
  "a bit of the code flipped"(random, sections) {
    for (const { id, content } of sections) if (id === CODE) flip(random, content);
  },
  "bytes changed"(random, sections) {
    const { content } = pickSection(random, sections);
    for (let count = 1 + random.below(8); content.length && count--; )
      content[random.below(content.length)] = random.below(256);
  },
  "a section cut"(random, sections) {
    const section = pickSection(random, sections);
    section.content = section.content.slice(0, random.below(section.content.length + 1));
  },
  "a section dropped": (random, sections) => void sections.splice(random.below(sections.length), 1),
  "a section doubled": (random, sections) =>
    void sections.splice(random.below(sections.length), 0, { ...random.pick(sections) }),
  "sections swapped"(random, sections) {
    const [a, b] = [random.below(sections.length), random.below(sections.length)];
    [sections[a], sections[b]] = [sections[b], sections[a]];
  },
  "another number for a section": (random, sections) =>
    void (random.pick(sections).id = random.below(random.chance(0.5) ? 15 : 256)),
  "a section of another file": (random, sections) =>
    void sections.splice(
      random.below(sections.length),
      random.below(2),
      pickSection(random, split(pickPackage(random).wasm)),
    ),
  "random bytes put into a section"(random, sections) {
    const section = pickSection(random, sections);
    const at = random.below(section.content.length + 1);
    section.content = concat([
      section.content.slice(0, at),
      random.bytes(1 + random.below(9)),
      section.content.slice(at),
    ]);
  },
  "a wrong count"(random, sections) {
    const section = pickSection(random, sections);
    if (section.content.length)
      section.content = concat([Uint8Array.from(random.pick(WRONG_NUMBERS)), section.content.slice(random.below(3))]);
  },
  "a wrong length"(random, sections) {
    const at = random.below(sections.length);
    const { length } = sections[at].content;
    const wrong = random.chance(0.5) ? leb(Math.max(0, length + random.below(9) - 4)) : random.pick(WRONG_NUMBERS);
    return join(sections, (index) => (index === at ? wrong : null));
  },
  "a table with an initialiser": (random, sections) =>
    void sections.push({ id: 4, content: Uint8Array.from([...random.pick(WRONG_NUMBERS), 0x40, 0, 0x70, 0, 1]) }),
  "cut at the end"(random, sections) {
    const bytes = join(sections);
    return bytes.slice(0, random.below(bytes.length));
  },
  "more at the end": (random, sections) => concat([join(sections), random.bytes(1 + random.below(40))]),
  "the header alone": () => HEADER.slice(),
  "a wrong header"(random, sections) {
    const bytes = join(sections);
    bytes[random.below(8)] = random.below(256);
    return bytes;
  },
  "random bytes behind the header": (random) => concat([HEADER, random.bytes(random.below(300))]),
  "random bytes": (random) => random.bytes(random.below(300)),
  "something else": (random) => new Uint8Array(Buffer.from(random.pick(OTHERS), "latin1")),
  "another package's": (random) => pickPackage(random).wasm,
};
const NAMES = Object.keys(MUTATIONS);
// Mutations that often leave a valid file.
const GENTLE = ["data changed", "a bit of the code flipped", "bits flipped", "another package's"];

/**
 * @param {Random} random @param {Uint8Array} bytes a valid file
 * @returns {{bytes: Uint8Array, how: string[]}}
 */
export function mutateWasm(random, bytes) {
  const sections = split(bytes);
  const how = [];
  do {
    how.push(random.pick(random.chance(0.4) ? GENTLE : NAMES));
    const whole = MUTATIONS[/** @type {string} */ (how.at(-1))](random, sections);
    if (whole) return { bytes: whole, how };
  } while (sections.length && random.chance(0.25));
  return { bytes: join(sections), how };
}
