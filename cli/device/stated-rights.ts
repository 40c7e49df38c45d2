import { globSync } from "node:fs";
import { join } from "node:path";
import { ComponentName } from "@coalmine/contract";
import * as z from "zod";
import { type ComponentRights, Right } from "../../commissioning/doctor/rights.ts";
import { readJson } from "../../pipeline/build/read-json.ts";

const Manifest = z.object({ coalmine: z.object({ component: ComponentName, rights: z.array(Right) }) });

/** What each component's manifest, its `package.json`, says that it needs of a device. */
export function statedRights(root: string): ComponentRights[] {
  return globSync("components/*/package.json", { cwd: root })
    .sort()
    .map((file) => readJson(Manifest, join(root, file)).coalmine);
}
