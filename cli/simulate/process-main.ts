import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { places } from "../system/state.ts";
import { playProcessScenario } from "./process-scenario.ts";

/** What a rehearsal calls for a scenario on process devices; the last line says what held. */
const text = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    scenario: text,
    seed: { ...text, default: "1" },
    running: { ...text, default: "dist" },
    candidate: text,
  },
});
const at = places(dirname(dirname(import.meta.dirname)), process.env);
process.exitCode = await playProcessScenario(at, { ...values, scenario: values.scenario ?? "", json: true });
