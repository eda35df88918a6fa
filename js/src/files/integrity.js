/**
 * Subresource integrity: what a file must hash to before anything of it is used.
 * https://www.w3.org/TR/sri-2/#integrity-metadata-description
 */

import { FetchError, LoadError } from "../shared/errors.js";

/** @import {Digest} from "../types.js" */

const HASH = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(\?.*)?$/;
const STRENGTH = ["sha256", "sha384", "sha512"];
const SUBTLE_NAMES = /** @type {Record<string, string>} */ ({
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
});

/**
 * @param {Uint8Array<ArrayBuffer>} bytes @param {string} origin where they came from
 * @param {string | undefined} integrity hashes, of which one must match; without any, nothing is checked
 * @param {Digest} [digest] used where the page has no `crypto.subtle`, which only secure contexts have
 * @throws {FetchError} none of them matches
 */
export async function checkIntegrity(bytes, origin, integrity, digest) {
  if (!integrity) return;
  const { algorithm, expected } = parseIntegrity(integrity);
  compare(await hash(algorithm, bytes, digest), algorithm, expected, origin);
}

/**
 * Checks the integrity at once.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {string} origin
 * @param {{integrity?: string, digest?: Digest}} how
 */
export function checkIntegrityAtOnce(bytes, origin, { integrity, digest }) {
  if (!integrity) return;
  if (!digest)
    throw new LoadError(
      "integrity cannot be checked at once without a function that hashes: " +
        "pass it as `digest`, or load asynchronously.",
    );
  const { algorithm, expected } = parseIntegrity(integrity);
  compare(digest(algorithm, bytes), algorithm, expected, origin);
}

/**
 * Reads a list of hashes. Only those of the strongest algorithm count, as in browsers.
 * @param {string} text
 */
function parseIntegrity(text) {
  const hashes = text
    .trim()
    .split(/\s+/)
    .map((part) => {
      const [, algorithm, value] = HASH.exec(part) ?? [];
      if (!value) {
        throw new LoadError(
          `integrity=${JSON.stringify(text)}: ${JSON.stringify(part)} is no hash; ` +
            'expected one like "sha384-" and 64 characters of base64.',
        );
      }
      return { algorithm, value };
    });
  const algorithm = STRENGTH.findLast((name) => hashes.some((hash) => hash.algorithm === name)) ?? "";
  return { algorithm, expected: hashes.flatMap((hash) => (hash.algorithm === algorithm ? [hash.value] : [])) };
}

/**
 * @param {string} algorithm @param {Uint8Array<ArrayBuffer>} bytes @param {Digest} [digest]
 * @returns {Promise<string>} base64
 */
async function hash(algorithm, bytes, digest) {
  if (globalThis.crypto?.subtle) {
    const result = new Uint8Array(await crypto.subtle.digest(SUBTLE_NAMES[algorithm], bytes));
    return btoa(String.fromCharCode(...result));
  }
  if (digest) return digest(algorithm, bytes);
  throw new LoadError("integrity cannot be checked here: only secure contexts (https, localhost) have crypto.subtle.");
}

/** @param {string} actual @param {string} algorithm @param {string[]} expected @param {string} origin */
function compare(actual, algorithm, expected, origin) {
  if (expected.includes(actual)) return;
  throw new FetchError(
    `${origin} is not what \`integrity\` allows: its hash is ${algorithm}-${actual}. ` +
      "Add that, if it is the right file: each file needs its own.",
    { url: origin },
  );
}
