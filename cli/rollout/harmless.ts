import type { Change } from "../../simulator/fleet/mutants/change.ts";

/** The change that the main job releases: small, real, and harmless. */
export const harmless: Change = {
  what: "sensor-reader says how many ports it reads when it starts",
  edits: [
    {
      file: "components/sensor-reader/src/component.ts",
      find: 'log.info("sensor-reader is running");',
      replace: 'log.info("sensor-reader is running", { portsOpen: running.portsOpen });',
    },
  ],
};
