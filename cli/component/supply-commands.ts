import { join, resolve } from "node:path";
import type { Command } from "commander";
import { keyIdOf, readSignersFile } from "../../pipeline/supply/signers.ts";
import { signBuild } from "../../pipeline/supply/sign-build.ts";
import { makeSigningKey, readSigningKey } from "../../pipeline/supply/signing-key.ts";
import { type Verified, verifyBuild, verifyDevice } from "../../pipeline/supply/verify-files.ts";
import { exitCodes } from "../exit-codes.ts";

/** `coalmine component key`, `sign` and `verify`: who made what runs, and whether it is that. */
export function addSupplyCommands(component: Command, root: string): void {
  const signed = join(root, "recipes/signed");
  component
    .command("key")
    .description("make a key to sign releases with, for its owner alone; print what trusts it")
    .argument("<file>", "a file that is not there yet")
    .requiredOption("--who <name>", "whose key it is")
    .action((file: string, { who }: { who: string }) => {
      const signers = { version: 1, signers: [{ who, publicKey: makeSigningKey(file) }] };
      console.log(JSON.stringify(signers, undefined, 2));
    });
  component
    .command("sign")
    .description("sign each version of a build, offline; commit what is written")
    .requiredOption("--key <file>", "the private key, readable by its owner alone")
    .option("--dist <folder>", "the build, for every platform", join(root, "dist"))
    .option("--to <folder>", "where the signatures go", signed)
    .action((options: { key: string; dist: string; to: string }) => {
      const key = readSigningKey(options.key);
      const written = signBuild(resolve(options.dist), resolve(options.to), key);
      for (const { component: name, version, how } of written) console.log(`${name} ${version}: ${how}`);
      console.log(`signed by the key ${keyIdOf(key)}`);
    });
  component
    .command("verify")
    .description("whether a build, or what lies on a device, is what a trusted key has signed")
    .requiredOption("--signers <file>", "the trusted keys")
    .option("--dist <folder>", "the build", join(root, "dist"))
    .option("--device <root>", "a core device's folder, instead of a build")
    .option("--signed <folder>", "for a device: where the signatures lie", signed)
    .option("--json", "one line of JSON")
    .action((options: { signers: string; dist: string; device?: string; signed: string; json?: true }) => {
      const signers = readSignersFile(options.signers);
      const found =
        options.device === undefined
          ? verifyBuild(resolve(options.dist), signers)
          : verifyDevice(resolve(options.device), resolve(options.signed), signers);
      if (options.json === true) console.log(JSON.stringify({ components: found }));
      else for (const each of found) console.log(told(each));
      if (found.some(({ fault }) => fault !== undefined)) process.exitCode = exitCodes.conflict;
    });
}

function told({ component, version, fault }: Verified): string {
  return fault === undefined
    ? `${component} ${version}: is what was signed`
    : `${fault.code}: ${fault.message}`;
}
