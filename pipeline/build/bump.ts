/**
 * `npm run bump`: gives every component, model and Node whose recipe or artifact differs from its released version the
 * next one, and appends it to the list of releases. Run it last, and commit what it changes with the change itself.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { CoalmineError } from "@coalmine/runtime";
import { bumpVersions } from "./bump-versions.ts";
import { cacheFolder } from "./cache-folder.ts";
import { platforms } from "./platform.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
try {
  const { bumped, files } = await bumpVersions({
    root,
    platforms,
    cacheFolder: cacheFolder(root, process.env),
  });
  for (const { component, from, to, because } of bumped)
    console.log(`${component} ${from === to ? to : `${from} → ${to}`}: ${because.join(", ")}`);
  console.log(
    bumped.length === 0
      ? "Nothing to raise: everything is as it was released."
      : `Commit ${files.join(", ")} with the change itself.`,
  );
} catch (failure) {
  if (!(failure instanceof CoalmineError)) throw failure;
  console.error(failure.message);
  process.exitCode = 1;
}
