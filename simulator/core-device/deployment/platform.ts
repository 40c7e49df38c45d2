import type { ConfigurationTree } from "../configuration/tree.ts";
import type { Platform } from "../ports.ts";
import { NUCLEUS } from "./plan.ts";

/** The machine's attributes, with those of the nucleus's `platformOverride` in their place or beside them. */
export function platformOf(machine: Platform, tree: ConfigurationTree): Platform {
  const given = tree.getObject(["services", NUCLEUS, "configuration", "platformOverride"]);
  const texts = Object.entries(given).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return { ...machine, ...Object.fromEntries(texts) };
}
