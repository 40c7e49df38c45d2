import { dirname } from "node:path";
import { runTwoAtATime } from "../pipeline/stages/two-at-a-time.ts";

/** `npm run check`. Each part says itself what is wrong. */
const parts = ["types", "lint", "dead", "format:check"];
const steps = parts.map((name) => ({ name, command: ["npm", "run", "-s", name] }));
const failures = await runTwoAtATime(steps, dirname(import.meta.dirname));
if (failures.length > 0) process.exitCode = 1;
