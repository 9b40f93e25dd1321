import { instantiate, type EmulatorExports } from "./module";

/** All that decides how a game goes, beside its actions. In Gymnasium's words where it has them. */
export interface EmulatorSetup {
  /** ALE's own seed, a signed 32-bit integer: the server draws it from the episode's. */
  seed: number;
  /** repeat_action_probability */
  sticky: number;
  /** Frames a step. */
  frameskip: number;
  /** max_num_frames_per_episode; 0: no end. */
  maxFrames: number;
  /** max_episode_steps of the environment's time limit; null: none. */
  maxSteps: number | null;
  /** null: the ROM's default. */
  mode: number | null;
  difficulty: number | null;
  /** full_action_space */
  allActions: boolean;
}

/** A cartridge and ALE's snake_case name for it. */
export interface Cartridge {
  name: string;
  rom: Uint8Array;
}

/** What a step returned, and what the page shows beside the picture. Reused from step to step. */
export interface StepResult {
  reward: number;
  terminated: boolean;
  truncated: boolean;
  lives: number;
}

const SETTING_NAMES: Readonly<Record<number, string>> = { 1: "mode", 2: "difficulty" };

/** ALE in the page: the same bytes as ale-py gives for the same setup and actions. */
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

  /** One cartridge an emulator: ALE keeps some settings of a game when it is given another. */
  static async create(module: WebAssembly.Module, { name, rom }: Cartridge): Promise<Emulator> {
    const emulator = new Emulator(await instantiate(module));
    const exports = emulator.#exports;
    const letters = new TextEncoder().encode(name);
    emulator.#bytes(exports.name_room(letters.length), letters.length).set(letters);
    emulator.#bytes(exports.rom_room(rom.length), rom.length).set(rom);
    return emulator;
  }

  /** Begin an episode, as Gymnasium's `reset(seed=...)`: nothing of what was played before remains. */
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

  /** Take one step; actions are indices in the environment's action space. */
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

  /** The screen as palette indices, one byte a pixel; good until the next step. */
  get screen(): Uint8Array {
    return this.#bytes(this.#exports.screen(), this.#exports.width() * this.#exports.height());
  }

  /** The 128 bytes of RAM; good until the next step. */
  get ram(): Uint8Array {
    return this.#bytes(this.#exports.ram(), 128);
  }

  /** The screen in colour, one RGBA word a pixel; good until the next step. */
  get picture(): Uint32Array {
    const offset = this.#exports.picture();
    const { width, height } = this.size;
    return new Uint32Array(this.#exports.memory.buffer, offset, width * height);
  }

  /** What the last frame sounded like, unsigned samples; good until the next step. */
  get sound(): Uint8Array<ArrayBuffer> {
    return this.#bytes(this.#exports.sound(), this.#exports.sound_size());
  }

  /** CRC-32 over all that was observed since `load`: screen, RAM, reward, lives and flags of each step. */
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
