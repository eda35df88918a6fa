/** What somebody may have meant who wrote a name that does not exist. */

/**
 * @param {string} wanted @param {string[]} names @param {number} count
 * @returns {string[]} the names that differ least, the best first
 */
export function similar(wanted, names, count) {
  const end = wanted.slice(wanted.lastIndexOf("/") + 1);
  return names
    .map((name) => {
      const file = name.slice(name.lastIndexOf("/") + 1);
      return { name, far: Math.min(edits(wanted, name), edits(end, file) + 1) };
    })
    .sort((a, b) => a.far - b.far)
    .slice(0, count)
    .map(({ name }) => name);
}

/** How many letters have to be put in, left out or replaced. @param {string} from @param {string} to */
function edits(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++)
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + Number(from[i] !== to[j])));
    row = next;
  }
  return row[to.length];
}

/** The numbers of a version; a pre-release comes before its release. @param {string} version */
function numbers(version) {
  const [, release, pre] = /^[^\d]*([\d.]*)(.*)$/s.exec(version) ?? [];
  const [major, minor, patch] = release.split(".").map(Number);
  return [major || 0, minor || 0, patch || 0, pre ? 0 : 1];
}

/** @param {string} a @param {string} b @returns {number} below 0: `a` is older */
function compare(a, b) {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((number, place) => number !== right[place]);
  return at < 0 ? 0 : left[at] - right[at];
}

/** @param {string} wanted @param {string[]} versions @returns {string | undefined} the version that differs least */
export function nearestVersion(wanted, versions) {
  const target = numbers(wanted);
  const distance = (/** @type {string} */ version) =>
    numbers(version).map((number, at) => Math.abs(number - target[at]));
  return [...versions]
    .map((version) => ({ version, far: distance(version) }))
    .sort((a, b) => {
      const at = a.far.findIndex((number, place) => number !== b.far[place]);
      return at < 0 ? 0 : a.far[at] - b.far[at];
    })[0]?.version;
}

/**
 * The version that a user means: an exact one, a tag, or the newest of `1` or `1.2`. Without a word, it is the newest.
 * @param {string | undefined} wanted @param {string[]} versions @param {Record<string, string>} tags
 * @returns {string | undefined}
 */
export function matchVersion(wanted, versions, tags) {
  if (wanted === undefined) return tags.latest ?? matchVersion("", versions, {});
  if (versions.includes(wanted)) return wanted;
  if (Object.hasOwn(tags, wanted)) return tags[wanted];
  if (!/^(\d+(\.\d+)?)?$/.test(wanted)) return undefined;
  const start = wanted && `${wanted}.`;
  const releases = versions.filter((version) => version.startsWith(start) && !/[-+]/.test(version));
  return releases.sort(compare).at(-1);
}
