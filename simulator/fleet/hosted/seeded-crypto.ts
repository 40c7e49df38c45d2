import { nodeCrypto } from "@coalmine/device/crypto";
import type { Crypto } from "@coalmine/ports";
import type { SeededRandom } from "@coalmine/runtime";

/** The real algorithms, with random bytes out of the simulation's seed: a simulation keeps no secrets. */
export function seededCrypto(random: SeededRandom): Crypto {
  return {
    ...nodeCrypto,
    randomBytes: (lengthBytes) => Uint8Array.from({ length: lengthBytes }, () => random.below(256)),
  };
}
