/** What becomes of the messages of a driven region's devices; its program loads this by `--handlers`. */
import { silentLog } from "@coalmine/runtime";
import { recordEvidence } from "./record-evidence.ts";
import type { Cloud } from "../../simulator/cloud/cloud.ts";
import type { LocalIot } from "../../simulator/cloud/iot-parts.ts";
import { DRIVEN } from "./driven-region.ts";

export function handlers(cloud: Cloud<LocalIot>): (topic: string, payload: Uint8Array, at: number) => void {
  return recordEvidence(cloud, DRIVEN.name, silentLog);
}
