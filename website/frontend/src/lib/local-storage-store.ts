/** A value in local storage. Without storage it lives as long as the page. */
export class LocalStorageStore<T> {
  readonly #key: string;
  readonly #read: (value: unknown) => T;
  #value: T;
  #listeners = new Set<() => void>();

  /** `read` converts the stored value (null if there is none) and must accept any input. */
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

  /** Removes the value from local storage. */
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

/** Clears the local storage of this site, if there is any. */
export function clearLocalStorage(): void {
  try {
    localStorage.clear();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
