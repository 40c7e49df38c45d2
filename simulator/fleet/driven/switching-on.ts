/** Within so long a fleet's devices are switched on, or they would do everything at the same instants for ever. */
export const SWITCHING_ON_MS = 30_000;
