import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { componentNames } from "@coalmine/contract";
import { messageOf } from "@coalmine/runtime";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { listComponents } from "../../api/components/list-components.ts";
import { askingFleets } from "../fleet/fleets-api.ts";
import type { Places } from "../system/state.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Checked, checkRecipes } from "./check.ts";
import { replay, ReplayError } from "./replay.ts";
import { storedPoints } from "./stored-points.ts";
import { addSupplyCommands } from "./supply-commands.ts";

type InferenceModule = Parameters<typeof replay>[0];

/** `coalmine component`: what is published, and what can be said of a component before and after it is. */
export function addComponentCommands(program: CliCommand, at: Places): void {
  const { root } = at;
  const component = program.command("component").description("components and their models");
  component
    .command("list")
    .description(
      "every component of the account in each target's region, its newest version, and whether it can be deployed",
    )
    .answers("component-list")
    .example("component list")
    .example("component list --json")
    .action(({ json }: { json: boolean }) =>
      askingFleets(at, undefined, async ({ regions }) => {
        const found = await listComponents(regions);
        if (json) answer("component-list", found);
        else if (found.length === 0) console.log("nothing is published yet: push something");
        else
          for (const { fleet, component: name, version, state, message } of found)
            console.log(
              `${fleet}  ${name}  ${version}  ${state}${message === undefined ? "" : `: ${message}`}`,
            );
      }),
    );
  component
    .command("check")
    .description("check a recipe as a core device and the cloud will, before it is published")
    .argument("<path>", "a recipe, or a folder of recipes")
    .answers("component-check")
    .example("component check recipes")
    .example("component check recipes/coalmine.SensorReader.yaml --json")
    .action((path: string, options: { json: boolean }) => {
      const recipes = checkRecipes(path);
      const faulty = recipes.filter(({ faults }) => faults.length > 0);
      if (options.json) answer("component-check", { recipes: recipes.map(toldOf) });
      else {
        for (const { faults } of faulty) for (const { message } of faults) console.log(message);
        const all = recipes.length === 1 ? "1 recipe" : `${recipes.length} recipes`;
        if (faulty.length > 0) console.log(`${faulty.length} of ${all} cannot be used.`);
        else console.log(`${all} ${recipes.length === 1 ? "is" : "are"} fine.`);
      }
      if (faulty.length > 0) process.exitCode = exitCodes.usage;
    });
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
    .answers("component-replay")
    .example('component replay "lake/**/*.parquet" --thing core-01')
    .action(
      async (points: string, options: { model: string; bundle: string; thing?: string; json: boolean }) => {
        const module = await bundleIn(resolve(options.bundle));
        const found = await replay(module, resolve(options.model), await storedPoints(points, options.thing));
        if (options.json) answer("component-replay", found);
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
  addSupplyCommands(component, root);
}

function toldOf({ file, faults }: Checked) {
  return {
    file,
    faults: faults.map(({ code, line, column, rule, remedy }) => ({ code, line, column, rule, remedy })),
  };
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
