/*
 * JavaScript as the author of a package could write it around the glue of the fixture `bank`: tests append it to that
 * file.
 */

export var Mood;
((Mood) => {
  Mood[(Mood.Calm = 0)] = "Calm";
  Mood[(Mood.InDebt = 1)] = "InDebt";
})(Mood || (Mood = {}));

export class Person {
  constructor(name, nickname) {
    this.name = name;
    this.nickname = nickname;
    this.rename = this.rename.bind(this);
  }

  rename(name) {
    this.name = name ?? this.nickname;
    return this;
  }
}

export class Customer extends Person {
  static greeting = "hello";
  visits = 0;
  greet = (mark = "!") => `${Customer.greeting} ${this.name}${mark}`;

  constructor(name, amount, nickname) {
    super(name, nickname);
    this.account = new Account(name, BigInt(amount ?? 100));
    this.mood = Mood.Calm;
  }

  /** Pays from the account. */
  pay(amount, note) {
    this.visits++;
    this.last = { amount, note, rounded: Math.round(Number(amount)) };
    this.account.withdraw(BigInt(amount));
    return this;
  }

  partner(name) {
    this.other ??= new Customer(name);
    return this.other;
  }

  get balance() {
    return this.account.balance;
  }

  get limit() {
    return this._limit ?? null;
  }

  set limit(limit) {
    this._limit = limit;
  }

  free() {
    this.account.free();
    this.isFreed = true;
  }

  static of(...names) {
    return names.map((name) => new Customer(name));
  }
}

export class Savings extends Account {
  constructor(owner, balance, rate) {
    super(owner, BigInt(balance ?? 10));
    this.rate = rate;
  }
}

export class Empty {}

class Receipt {
  constructor(customer, amount) {
    this.amount = amount;
    this.pay = () => customer.pay(this.amount);
  }
}

// A `Map` is data, whatever class it is of.
class Prices extends Map {}

export function prepare(customer, amount) {
  return new Receipt(customer, amount);
}

export function prices() {
  return new Prices([["tea", 2]]);
}

export function introduce(customer, { mark = "." } = {}, { prefix = "I am " } = {}) {
  return prefix + customer.name + mark;
}

export const double = (number) => number * 2;

export async function later(value) {
  await null;
  return value;
}

export function accountOf(customer) {
  return customer.account;
}
