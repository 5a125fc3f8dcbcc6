/** Remembers what was computed for the keys in use: two generations, so that what is used stays and nothing grows without bound. */

/** A bounded map that forgets what was not asked for since it last filled up. */
export class KeyCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** Keeps at most twice `generation` entries. */
  constructor(private readonly generation: number) {}

  /** The value of `key`, if it is kept. */
  get(key: string): V | undefined {
    const value = this.#young.get(key) ?? this.#old.get(key);
    if (value !== undefined && !this.#young.has(key)) this.set(key, value);
    return value;
  }

  /** Keeps `value` under `key`. */
  set(key: string, value: V): void {
    if (this.#young.size >= this.generation && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
