// The little of Wasm's binary format that injecting needs: numbers, texts, lists and sections, written and read.

/** An unsigned number. */
export function leb(number) {
  const bytes = [];
  let rest = number;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** A list of items, each of which is a list of bytes. */
export function vector(items) {
  return [...leb(items.length), ...items.flat()];
}

export function text(string) {
  return vector([...new TextEncoder().encode(string)]);
}

export function section(id, content) {
  return [id, ...leb(content.length), ...content];
}

/** Reads bytes from the first on. */
export class Reader {
  constructor(bytes, place = 0) {
    this.bytes = bytes;
    this.place = place;
  }

  get isAtEnd() {
    return this.place >= this.bytes.length;
  }

  byte() {
    return this.bytes[this.place++];
  }

  number() {
    let number = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      number += (byte & 0x7f) * factor;
      if (byte < 0x80) return number;
    }
  }

  take(length) {
    this.place += length;
    return this.bytes.subarray(this.place - length, this.place);
  }

  text() {
    return new TextDecoder().decode(this.take(this.number()));
  }
}
