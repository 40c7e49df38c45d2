import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { basename, join } from "node:path";
import { readBuild } from "../build/build-manifest.ts";
import { platforms } from "../build/platform.ts";
import { type Envelope, readEnvelope, signed } from "./envelope.ts";
import { digestsOf, envelopeFile, statementFile, statementOf } from "./statement.ts";
import { SupplyError } from "./supply-error.ts";

export interface Signed {
  readonly component: string;
  readonly version: string;
  readonly how: "signed" | "signed by a further key" | "was signed";
}

/**
 * Signs every version of a whole, released build. What was signed before about the same bytes stays as it is and gets a
 * further signature, so that a new key can follow an old one without a new release.
 */
export function signBuild(dist: string, folder: string, key: KeyObject): Signed[] {
  const { components, platforms: built } = readBuild(dist);
  const missing = platforms.filter((platform) => !built.includes(platform));
  const unreleased = components.filter(({ released }) => !released).map(({ component }) => component);
  if (missing.length > 0 || unreleased.length > 0)
    throw new SupplyError(
      "ERR_SUPPLY_UNSIGNED",
      `${dist} is not a whole release: ${[...missing.map((each) => `nothing is built for ${each}`), ...unreleased.map((each) => `${each} differs from recipes/released.json`)].join(", ")}; run npm run bump and npm run build, then sign`,
    );
  mkdirSync(folder, { recursive: true });
  return components.map(({ component, version }): Signed => {
    const what = `${component} ${version}`;
    const statement = readFileSync(join(dist, statementFile(component, version)), "utf8");
    const file = join(folder, basename(envelopeFile(component, version)));
    const there = existsSync(file) ? readEnvelope(readFileSync(file, "utf8"), what) : undefined;
    const before = there && sameDigests(there, statement, component, version) ? there : undefined;
    const text = before === undefined ? statement : payloadOf(before);
    const after = signed(text, key, before);
    writeFileSync(file, `${JSON.stringify(after, undefined, 2)}\n`);
    if (before === undefined) return { component, version, how: "signed" };
    const isNew = after.signatures.length > before.signatures.length;
    return { component, version, how: isNew ? "signed by a further key" : "was signed" };
  });
}

function sameDigests(there: Envelope, statement: string, component: string, version: string): boolean {
  const told = (text: string) => JSON.stringify([...digestsOf(statementOf(text, component, version))]);
  return told(payloadOf(there)) === told(statement);
}

function payloadOf({ payload }: Envelope): string {
  return Buffer.from(payload, "base64").toString("utf8");
}
