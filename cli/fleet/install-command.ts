import * as z from "zod";
import { git } from "../../pipeline/push/repository.ts";
import { closeRegion } from "../../pipeline/controller/region.ts";
import { readSignersFile, SIGNERS_VARIABLE, signersOf } from "../../pipeline/supply/signers.ts";
import { answer } from "../answers/answers.ts";
import { askingWhom, openRegions } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { InputFileError, readInput } from "../input-file.ts";
import type { Places } from "../system/state.ts";
import { type Configuration, FleetInstallError, installOnFleets } from "./first-installation.ts";

interface InstallWords {
  readonly commit?: string;
  readonly signers?: string;
  readonly configuration?: string;
  readonly json: boolean;
}

const ConfigurationFile = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.json())));

/** `coalmine fleet install`: what nothing can be compared with goes to all at once, by somebody's own hand. */
export function addInstallCommand(fleet: CliCommand, at: Places): void {
  fleet
    .command("install")
    .description(
      "the first release of every target: deploy what is published and signed to groups on which nothing runs yet, and switch on the events that the evidence needs; what runs is left alone, so it may be repeated",
    )
    .option("--commit <sha>", "whose release; the one of this checkout's HEAD without it")
    .option(
      "--signers <file>",
      `whose signature it needs; ${SIGNERS_VARIABLE}, the list or its file, without it`,
    )
    .option(
      "--configuration <file>",
      "JSON, target → component → what it is configured with beyond its defaults",
    )
    .answers("fleet-install")
    .example("fleet install --signers signers.json")
    .example("fleet install --signers signers.json --configuration first.json")
    .action((words: InstallWords) =>
      askingWhom(at, async (asked) => {
        const wish = {
          commit: words.commit ?? git(at.root, "rev-parse", "HEAD"),
          signers: signersIn(words),
          configuration: configurationIn(words),
          who: asked.who,
        };
        const regions = openRegions(asked);
        try {
          const { installed, switchedOn } = await installOnFleets(regions, wish);
          if (words.json) return answer("fleet-install", { commit: wish.commit, installed, switchedOn });
          for (const { target, group, deploymentId, how } of installed)
            console.log(
              how === "created"
                ? `${target}: ${group} is told to run it, by deployment ${deploymentId}`
                : `${target}: ${group} has deployment ${deploymentId} already, and is left alone`,
            );
          for (const target of switchedOn) console.log(`${target}: events of job executions are on now`);
        } finally {
          regions.forEach(closeRegion);
        }
      }),
    );
}

/** Never without: nothing is there yet that a forged release could be told from. */
function signersIn({ signers }: InstallWords) {
  const found = signers === undefined ? signersOf(process.env) : readSignersFile(signers);
  if (found !== undefined) return found;
  throw new FleetInstallError(
    `say whose signature the release needs: --signers signers.json, the list that the controller was deployed with, or set ${SIGNERS_VARIABLE}`,
  );
}

function configurationIn({ configuration: file }: InstallWords): Configuration {
  if (file === undefined) return {};
  const text = readInput(file, "a configuration");
  try {
    return ConfigurationFile.parse(JSON.parse(text));
  } catch (failure) {
    throw new InputFileError(
      `${file} is no configuration; it looks like {"fleet":{"coalmine.SensorReader":{"batchSeconds":5}}}`,
      { cause: failure },
    );
  }
}
