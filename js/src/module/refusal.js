/** Carries what is to be thrown out of a call that was refused before its code ran. */
export class Refusal {
  /** @param {unknown} throwable */
  constructor(throwable) {
    this.throwable = throwable;
  }
}
