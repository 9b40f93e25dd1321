/** A small value in local storage; where storage is switched off it lives as long as the page. */
export class LocalStorageStore<T> {
  readonly #key: string;
  readonly #read: (value: unknown) => T;
  #value: T;
  #listeners = new Set<() => void>();

  /** `read` turns what was stored (null: nothing) into a value, whatever it finds. */
  constructor(key: string, read: (value: unknown) => T) {
    this.#key = `skill-arcade.${key}`;
    this.#read = read;
    this.#value = read(this.#load());
    addEventListener("storage", (event) => {
      if (event.key === this.#key || event.key === null) this.#publish(this.#read(this.#load()));
    });
  }

  get = (): T => this.#value;

  set(value: T): void {
    try {
      if (value === null) localStorage.removeItem(this.#key);
      else
        localStorage.setItem(this.#key, typeof value === "string" ? value : JSON.stringify(value));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
    this.#publish(value);
  }

  /** Nothing of it stays in the browser. */
  clear(): void {
    try {
      localStorage.removeItem(this.#key);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
    this.#publish(this.#read(null));
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #publish(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  #load(): unknown {
    try {
      const text = localStorage.getItem(this.#key);
      return text?.startsWith("{") === true ? (JSON.parse(text) as unknown) : text;
    } catch (error) {
      if (error instanceof DOMException || error instanceof SyntaxError) return null;
      throw error;
    }
  }
}

/** Forgets everything that this page keeps in the browser, as far as there is storage. */
export function clearLocalStorage(): void {
  try {
    localStorage.clear();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
