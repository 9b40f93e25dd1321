/** Exports of the module; documented in `website/lockstep/capi.cpp`. */
export interface EmulatorExports {
  readonly memory: WebAssembly.Memory;
  readonly rom_room: (bytes: number) => number;
  readonly name_room: (bytes: number) => number;
  readonly load: (
    seed: number,
    sticky: number,
    maxFrames: number,
    mode: number,
    difficulty: number,
    allActions: number,
  ) => number;
  readonly n_actions: () => number;
  readonly step: (action: number, skip: number) => number;
  readonly lives: () => number;
  readonly terminated: () => number;
  readonly truncated: () => number;
  readonly width: () => number;
  readonly height: () => number;
  readonly screen: () => number;
  readonly ram: () => number;
  readonly picture: () => number;
  readonly sound: () => number;
  readonly sound_size: () => number;
  readonly digest: () => number;
}

const WASI_SUCCESS = 0;
const WASI_NOT_CAPABLE = 76;

/**
 * Instantiates the module with its own memory. It has no files and no environment variables. Its
 * clock is fixed, because the seed is always given.
 */
export async function instantiate(module: WebAssembly.Module): Promise<EmulatorExports> {
  let memory: WebAssembly.Memory | null = null;
  const store = (...zeroes: number[]): number => {
    if (memory === null) return WASI_NOT_CAPABLE;
    const view = new DataView(memory.buffer);
    for (const place of zeroes) view.setUint32(place, 0, true);
    return WASI_SUCCESS;
  };
  const wasi = {
    environ_get: () => WASI_SUCCESS,
    environ_sizes_get: (count: number, size: number) => store(count, size),
    clock_time_get: (_clock: number, _precision: bigint, time: number) => store(time, time + 4),
    fd_close: () => WASI_NOT_CAPABLE,
    fd_fdstat_get: () => WASI_NOT_CAPABLE,
    fd_read: () => WASI_NOT_CAPABLE,
    fd_seek: () => WASI_NOT_CAPABLE,
    fd_write: () => WASI_NOT_CAPABLE,
    proc_exit: (code: number) => {
      throw new Error(`The emulator stopped with code ${code}.`);
    },
  };
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi });
  const exports = instance.exports as unknown as EmulatorExports & { _initialize: () => void };
  memory = exports.memory;
  exports._initialize();
  return exports;
}
