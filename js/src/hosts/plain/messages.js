/**
 * The words of errors that only plain JavaScript is shown. Names of calls and classes come with that of their module.
 */

/** Why a call cannot run yet. @param {string} call @param {number} waitMs until there is an instance */
export function describeWait(call, waitMs) {
  return (
    `${call} cannot run yet: the next instance is being made, because this browser makes none of that size at once. ` +
    `It will be there in about ${Math.max(1, Math.ceil(waitMs))} ms; async calls wait for it.`
  );
}

/** @param {string} className @param {string} holder empty: it is not known which @param {string} call */
export function describeInUse(className, holder, call) {
  const who = holder || "a call";
  return `This ${className} is in use by ${who}, which has not ended; it cannot be used in ${call} meanwhile.`;
}

/** @param {string} className @param {string} consumer empty: it was freed @param {string} call */
export function describeStale(className, consumer, call) {
  const fate = consumer ? `moved into ${consumer}, which consumed it` : "freed";
  return `This ${className} was ${fate}; it cannot be used in ${call}.`;
}

/** An object that only Rust could see to be gone. @param {string} call */
export function describeGone(call) {
  return `An object was used that had been freed, or moved into a Rust call (in ${call}).`;
}

/** @param {string} className @param {number} generation that made it */
export function describeOutlived(className, generation) {
  return `This ${className} was made by generation ${generation}, which is gone: make a new one.`;
}
