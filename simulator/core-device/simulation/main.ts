import { parseArgs } from "node:util";
import { messageOf } from "@coalmine/runtime";
import { simulate, STEPS } from "./simulate.ts";

/** `npm run simulate:device -- --seed 17`: one device's life from that seed; `--seeds 100` plays so many from there on. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string", default: "1" },
      steps: { type: "string", default: String(STEPS) },
    },
  });
  const [first, seeds, steps] = [Number(values.seed), Number(values.seeds), Number(values.steps)];
  if (![first, seeds, steps].every(Number.isInteger)) {
    process.stderr.write("usage: npm run simulate:device -- [--seed 1] [--seeds 1] [--steps 40]\n");
    return 2;
  }
  for (let seed = first; seed < first + seeds; seed++)
    try {
      const { digest } = await simulate(String(seed), steps);
      process.stdout.write(`seed ${seed}: every invariant held over ${steps} steps, digest ${digest}\n`);
    } catch (failure) {
      process.stderr.write(
        `${messageOf(failure)}\nReplay it: npm run simulate:device -- --seed ${seed} --steps ${steps}\n`,
      );
      return 3;
    }
  return 0;
}

process.exit(await main());
