/** `npm run build`: every artifact and recipe of this checkout into `dist/`, byte for byte the same wherever it runs. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { BuildError } from "./build-error.ts";
import { buildAll } from "./build.ts";
import { cacheFolder } from "./cache-folder.ts";
import { platforms } from "./platform.ts";

const USAGE = `npm run build -- [--platform ${platforms.join("|")}]… [--only COMPONENT]… [--allow-unreleased] [--json]`;
const EXIT = { unexpected: 1, usage: 2, conflict: 7 } as const;
const MIB = 1024 * 1024;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const options = readOptions();
if (options === undefined) process.exitCode = EXIT.usage;
else
  try {
    const manifest = await buildAll({
      root,
      platforms: options.platforms,
      ...(options.only === undefined ? {} : { only: options.only }),
      allowUnreleased: options.allowUnreleased,
      cacheFolder: cacheFolder(root, process.env),
      progress: ({ component, version, artifacts }, seconds) => {
        if (options.json) return;
        const sizes = Object.entries(artifacts).map(
          ([platform, artifact]) => `${platform} ${(artifact.sizeBytes / MIB).toFixed(2)} MiB`,
        );
        console.log(`${component} ${version}: ${sizes.join(", ")} (${seconds.toFixed(1)} s)`);
      },
    });
    if (options.json) console.log(JSON.stringify(manifest));
  } catch (failure) {
    if (!(failure instanceof CoalmineError)) throw failure;
    console.error(failure.message);
    process.exitCode =
      failure instanceof BuildError && failure.code === "ERR_NOT_RELEASED" ? EXIT.conflict : EXIT.unexpected;
  }

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        platform: { type: "string", multiple: true },
        only: { type: "string", multiple: true },
        "allow-unreleased": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const wanted = values.platform ?? [...platforms];
    const known = platforms.filter((platform) => wanted.includes(platform));
    if (known.length < new Set(wanted).size)
      throw new Error(`--platform takes ${platforms.join(" or ")}, not ${wanted.join(", ")}`);
    return {
      platforms: known,
      only: values.only,
      allowUnreleased: values["allow-unreleased"],
      json: values.json,
    };
  } catch (failure) {
    console.error(`${messageOf(failure)}\n${USAGE}`);
    return undefined;
  }
}
