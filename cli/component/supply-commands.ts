import { join, resolve } from "node:path";
import { keyIdOf, readSignersFile } from "../../pipeline/supply/signers.ts";
import { signBuild } from "../../pipeline/supply/sign-build.ts";
import { makeSigningKey, readSigningKey } from "../../pipeline/supply/signing-key.ts";
import { type Verified, verifyBuild, verifyDevice } from "../../pipeline/supply/verify-files.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { exitCodes } from "../exit-codes.ts";

interface VerifyWords {
  readonly signers: string;
  readonly dist: string;
  readonly device?: string;
  readonly signed: string;
  readonly json: boolean;
}

/** `coalmine component key`, `sign` and `verify`: who made what runs, and whether it is that. */
export function addSupplyCommands(component: CliCommand, root: string): void {
  const signed = join(root, "recipes/signed");
  component
    .command("key")
    .description("make a key to sign releases with, for its owner alone, and print the list that trusts it")
    .argument("<file>", "a file that is not there yet")
    .requiredOption("--who <name>", "whose key it is")
    .answers("component-key")
    .example("component key signing.pem --who ada > signers.json")
    .action((file: string, { who, json }: { who: string; json: boolean }) => {
      const list = { version: 1, signers: [{ who, publicKey: makeSigningKey(file) }] } as const;
      if (json) answer("component-key", list);
      else console.log(JSON.stringify(list, undefined, 2));
    });
  component
    .command("sign")
    .description("sign each version of a whole build, offline; what is written is to be committed")
    .requiredOption("--key <file>", "the private key, readable by its owner alone")
    .option("--dist <folder>", "the build, for every platform", join(root, "dist"))
    .option("--to <folder>", "where the signatures go", signed)
    .answers("component-sign")
    .example("component sign --key signing.pem")
    .action((options: { key: string; dist: string; to: string; json: boolean }) => {
      const key = readSigningKey(options.key);
      const components = signBuild(resolve(options.dist), resolve(options.to), key);
      if (options.json) return answer("component-sign", { keyId: keyIdOf(key), components });
      for (const { component: name, version, how } of components) console.log(`${name} ${version}: ${how}`);
      console.log(`signed by the key ${keyIdOf(key)}`);
    });
  component
    .command("verify")
    .description("whether a build, or what lies on a core device, is what a trusted key has signed")
    .requiredOption("--signers <file>", "the trusted keys")
    .option("--dist <folder>", "the build", join(root, "dist"))
    .option("--device <root>", "a core device's folder, instead of a build")
    .option("--signed <folder>", "for a device: where the signatures lie", signed)
    .answers("component-verify")
    .example("component verify --signers signers.json")
    .example("component verify --signers signers.json --device /greengrass/v2 --json")
    .action((words: VerifyWords) => {
      const signers = readSignersFile(words.signers);
      const components =
        words.device === undefined
          ? verifyBuild(resolve(words.dist), signers)
          : verifyDevice(resolve(words.device), resolve(words.signed), signers);
      if (words.json) answer("component-verify", { components });
      else for (const each of components) console.log(told(each));
      if (components.some(({ fault }) => fault !== undefined)) process.exitCode = exitCodes.conflict;
    });
}

function told({ component, version, fault }: Verified): string {
  return fault === undefined
    ? `${component} ${version}: is what was signed`
    : `${fault.code}: ${fault.message}`;
}
