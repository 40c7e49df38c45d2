import { createHash } from "node:crypto";
import type { BuiltArtifact } from "../build/artifacts.ts";
import { sha256 } from "../build/digest.ts";
import type { Source } from "../build/sources.ts";
import type { LockedPackage } from "./locked-packages.ts";

/** CycloneDX's own names, as far as a bill of ours has them. @see https://cyclonedx.org/docs/1.6/json/ */
interface Part {
  readonly type: "application" | "library" | "file" | "platform" | "machine-learning-model";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
  readonly licenses?: readonly object[];
}

/**
 * The bill of materials of one artifact, CycloneDX 1.6 in JSON: its files, the packages whose code is in them with the
 * integrity that the lockfile has, and who needs whom. `inside` are libraries within Node's binary: name → version.
 * It has no time and no chance in it, so that whoever builds the same artifact gets the same bill.
 */
export function sbomOf(
  { component, version, kind }: Pick<Source, "component" | "version" | "kind">,
  { platform, zip, entries, packages }: BuiltArtifact,
  inside: Readonly<Record<string, string>>,
): string {
  const artifact: Part = {
    type: kind === "model" ? "machine-learning-model" : kind === "node" ? "platform" : "application",
    "bom-ref": `${component}@${version}/${platform}`,
    name: component,
    version,
    hashes: [{ alg: "SHA-256", content: sha256(zip) }],
    licenses: [{ license: { id: "Apache-2.0" } }],
  };
  const files = entries.map(({ name, bytes }): Part => ({
    type: "file",
    "bom-ref": `file:${name}`,
    name,
    hashes: [{ alg: "SHA-256", content: sha256(bytes) }],
  }));
  // The same package in two folders is one.
  const libraries = new Map(packages.map((each) => [refOf(each), each]));
  const within = Object.entries(inside).map(([name, insideVersion]): Part => ({
    type: "library",
    "bom-ref": `pkg:generic/${name}@${insideVersion}`,
    name,
    version: insideVersion,
    purl: `pkg:generic/${name}@${insideVersion}`,
  }));
  const needed = edgesOf(packages);
  const needless = [...libraries.keys()].filter(
    (ref) => ![...needed.values()].some((others) => others.has(ref)),
  );
  const node = packages.find(({ name }) => name === `node-${platform}`);
  const dependencies = new Map<string, readonly string[]>([
    [artifact["bom-ref"], [...files.map((file) => file["bom-ref"]), ...needless]],
    ...[...needed].map(([ref, others]): [string, string[]] => [ref, [...others]]),
  ]);
  if (node !== undefined)
    dependencies.set(
      refOf(node),
      within.map((part) => part["bom-ref"]),
    );
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`${artifact["bom-ref"]} ${sha256(zip)}`)}`,
    version: 1,
    metadata: { lifecycles: [{ phase: "build" }], component: artifact },
    components: byRef([...files, ...[...libraries.values()].map(libraryOf), ...within]),
    dependencies: [...dependencies]
      .map(([ref, dependsOn]) => ({ ref, dependsOn: dependsOn.toSorted() }))
      .toSorted((a, b) => (a.ref < b.ref ? -1 : 1)),
    compositions: [{ aggregate: "complete", assemblies: [artifact["bom-ref"]] }],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** A package URL names a package for whoever looks for its vulnerabilities; ours are in no registry. */
export function refOf({ name, version, isOurs }: LockedPackage): string {
  return isOurs ? `${name}@${version}` : `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function libraryOf(each: LockedPackage): Part {
  const { name, version, isOurs, integrity, licence } = each;
  const digest = integrity?.startsWith("sha512-") === true ? integrity.slice("sha512-".length) : undefined;
  return {
    type: "library",
    "bom-ref": refOf(each),
    name,
    version,
    ...(isOurs ? {} : { purl: refOf(each) }),
    ...(digest === undefined
      ? {}
      : { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] }),
    ...(licence === undefined
      ? {}
      : { licenses: [/[ ()]/.test(licence) ? { expression: licence } : { license: { id: licence } }] }),
  };
}

/** Each package, and those of the bill that it needs. */
function edgesOf(packages: readonly LockedPackage[]): Map<string, Set<string>> {
  const refs = new Map(packages.map((each) => [each.folder, refOf(each)]));
  const edges = new Map<string, Set<string>>();
  for (const each of packages) {
    const own = edges.get(refOf(each)) ?? new Set();
    edges.set(refOf(each), own);
    for (const folder of each.needs) {
      const ref = refs.get(folder);
      if (ref !== undefined && ref !== refOf(each)) own.add(ref);
    }
  }
  return edges;
}

function byRef(parts: readonly Part[]): Part[] {
  return parts.toSorted((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
}

/** A UUID of the kind that RFC 9562 calls version 8: what it holds is the maker's matter. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
