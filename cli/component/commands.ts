import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { componentNames } from "@coalmine/contract";
import { messageOf } from "@coalmine/runtime";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { replay, ReplayError } from "./replay.ts";
import { storedPoints } from "./stored-points.ts";

type InferenceModule = Parameters<typeof replay>[0];

/** `coalmine component replay` */
export function addComponentCommands(program: Command, root: string): void {
  const component = program.command("component").description("Components and their models");
  component
    .command("replay")
    .description("score stored points again, and compare with the results that are stored beside them")
    .argument("<points>", 'Parquet files of the lake ("lake/**/*.parquet"), or a file of JSON lines')
    .option("--model <folder>", "the model's folder", join(root, "models/blood-viscosity"))
    .option(
      "--bundle <file>",
      "component.mjs of the artifact to run",
      join(root, "dist/bundles", componentNames.inference, "component.mjs"),
    )
    .option("--thing <name>", "points of this thing only")
    .option("--json", "one line of JSON")
    .action(
      async (points: string, options: { model: string; bundle: string; thing?: string; json?: true }) => {
        const module = await bundleIn(resolve(options.bundle));
        const found = await replay(module, resolve(options.model), await storedPoints(points, options.thing));
        if (options.json === true) console.log(JSON.stringify(found));
        else
          console.log(
            [
              `${found.equal} of ${found.recorded} results of model ${found.modelSha256} are the same bit for bit;`,
              `${found.different} differ, ${found.missing} have not all of their points, ${found.otherModels} are of other models.`,
              ...found.examples,
            ].join("\n"),
          );
        if (found.equal < found.recorded) process.exitCode = exitCodes.halted;
      },
    );
}

async function bundleIn(file: string): Promise<InferenceModule> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what every component.mjs exports.
    return (await import(pathToFileURL(file).href)) as InferenceModule;
  } catch (cause) {
    throw new ReplayError(
      `${file} cannot be loaded: ${messageOf(cause)}. Build it by \`npm run build\`, or name another one by --bundle.`,
      { cause },
    );
  }
}
