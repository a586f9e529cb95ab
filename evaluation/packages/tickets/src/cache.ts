/** A cache with a time to live, shared by all requests. */

interface Entry {
  value: unknown;
  until: number;
}

export class Cache {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly ttlMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Return what is kept under a key, or load it and keep it. */
  async get<T>(key: string, load: () => Promise<T>): Promise<T> {
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.until > this.now()) {
      return entry.value as T;
    }
    const value = await load();
    this.entries.set(key, { value, until: this.now() + this.ttlMs });
    return value;
  }

  /** Forget every key that starts with a prefix. */
  drop(prefix: string): void {
    for (const key of this.entries.keys()) {
      if (key.startsWith(prefix)) this.entries.delete(key);
    }
  }
}
