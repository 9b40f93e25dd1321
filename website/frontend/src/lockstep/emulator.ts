import { instantiate, type EmulatorExports } from "./module";

/**
 * Settings that determine a game, together with its actions. Named as in Gymnasium where possible.
 */
export interface EmulatorSetup {
  /** ALE's seed, a signed 32-bit integer. The server derives it from the episode's seed. */
  seed: number;
  /** repeat_action_probability */
  sticky: number;
  /** Frames per step. */
  frameskip: number;
  /** max_num_frames_per_episode; 0 means no limit. */
  maxFrames: number;
  /** max_episode_steps of the environment; null means no limit. */
  maxSteps: number | null;
  /** null selects the ROM's default. */
  mode: number | null;
  difficulty: number | null;
  /** full_action_space */
  allActions: boolean;
}

/** A ROM and ALE's snake_case name for it. */
export interface Cartridge {
  name: string;
  rom: Uint8Array;
}

/** Result of a step. The object is reused. */
export interface StepResult {
  reward: number;
  terminated: boolean;
  truncated: boolean;
  lives: number;
}

const SETTING_NAMES: Readonly<Record<number, string>> = { 1: "mode", 2: "difficulty" };

/** ALE in WebAssembly. It produces the same bytes as ale-py for the same settings and actions. */
export class Emulator {
  readonly #exports: EmulatorExports;
  readonly #result: StepResult = { reward: 0, terminated: false, truncated: false, lives: 0 };
  #frameskip = 1;
  #maxSteps = Infinity;
  #steps = 0;
  #nActions = 0;

  private constructor(exports: EmulatorExports) {
    this.#exports = exports;
  }

  /**
   * Creates an emulator for one ROM. ALE keeps some settings between ROMs, so it cannot be reused
   * for another.
   */
  static async create(module: WebAssembly.Module, { name, rom }: Cartridge): Promise<Emulator> {
    const emulator = new Emulator(await instantiate(module));
    const exports = emulator.#exports;
    const letters = new TextEncoder().encode(name);
    emulator.#bytes(exports.name_room(letters.length), letters.length).set(letters);
    emulator.#bytes(exports.rom_room(rom.length), rom.length).set(rom);
    return emulator;
  }

  /** Starts an episode like Gymnasium's `reset(seed=...)`. No state of earlier episodes remains. */
  load(setup: EmulatorSetup): StepResult {
    const { seed, sticky, maxFrames, mode, difficulty, allActions } = setup;
    const problem = this.#exports.load(
      seed,
      sticky,
      maxFrames,
      mode ?? -1,
      difficulty ?? -1,
      allActions ? 1 : 0,
    );
    if (problem !== 0)
      throw new Error(`The game has no such ${SETTING_NAMES[problem] ?? "setting"}.`);
    this.#frameskip = setup.frameskip;
    this.#maxSteps = setup.maxSteps ?? Infinity;
    this.#steps = 0;
    this.#nActions = this.#exports.n_actions();
    return this.#read(0);
  }

  /** Takes one step. `action` is an index in the environment's action space. */
  step(action: number): StepResult {
    if (!Number.isInteger(action) || action < 0 || action >= this.#nActions) {
      throw new RangeError(`There is no action ${action}; the last is ${this.#nActions - 1}.`);
    }
    const reward = this.#exports.step(action, this.#frameskip);
    this.#steps++;
    return this.#read(reward);
  }

  get nActions(): number {
    return this.#nActions;
  }

  get size(): { width: number; height: number } {
    return { width: this.#exports.width(), height: this.#exports.height() };
  }

  /** Screen as palette indices, one byte per pixel; valid until the next step. */
  get screen(): Uint8Array {
    return this.#bytes(this.#exports.screen(), this.#exports.width() * this.#exports.height());
  }

  /** The 128 bytes of RAM; valid until the next step. */
  get ram(): Uint8Array {
    return this.#bytes(this.#exports.ram(), 128);
  }

  /** Screen in colour, one RGBA word per pixel; valid until the next step. */
  get picture(): Uint32Array {
    const offset = this.#exports.picture();
    const { width, height } = this.size;
    return new Uint32Array(this.#exports.memory.buffer, offset, width * height);
  }

  /** Sound of the last frame as unsigned samples; valid until the next step. */
  get sound(): Uint8Array<ArrayBuffer> {
    return this.#bytes(this.#exports.sound(), this.#exports.sound_size());
  }

  /**
   * CRC-32 of everything observed since `load`: screen, RAM, reward, lives and flags of each step.
   */
  get digest(): number {
    return this.#exports.digest() >>> 0;
  }

  #read(reward: number): StepResult {
    const result = this.#result;
    result.reward = reward;
    result.terminated = this.#exports.terminated() !== 0;
    result.truncated = this.#exports.truncated() !== 0 || this.#steps >= this.#maxSteps;
    result.lives = this.#exports.lives();
    return result;
  }

  #bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer, offset, length);
  }
}
