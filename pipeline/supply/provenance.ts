import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";
import type { BuiltArtifact } from "../build/artifacts.ts";
import { sha256 } from "../build/digest.ts";
import { readJson } from "../build/read-json.ts";
import type { Source } from "../build/sources.ts";
import { refOf, sbomOf } from "./sbom.ts";
import { BUILD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, type Statement, subjects } from "./statement.ts";

const BUILDER = "https://coalmine.example/build";
const Package = z.object({ version: z.string() });

export interface Built {
  readonly source: Source;
  /** SHA-256 of the recipe, without URIs. */
  readonly recipe: string;
  readonly artifacts: readonly BuiltArtifact[];
  /** Our own sources that are bundled, from the root, sorted. */
  readonly sources: readonly string[];
  readonly nodeVersion: string;
  /** Libraries within Node's binary, for Node itself. */
  readonly inside: Readonly<Record<string, string>>;
}

/** What a build says of a component version before anybody signs it: the bills by platform, and the statement. */
export function provenanceOf(
  root: string,
  built: Built,
): { readonly sboms: ReadonlyMap<string, string>; readonly statement: string } {
  const { source, artifacts } = built;
  const sboms = new Map(artifacts.map((each) => [each.platform, sbomOf(source, each, built.inside)]));
  const subject = (name: string, content: Uint8Array | string) => ({
    name,
    digest: { sha256: sha256(content) },
  });
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: [
      { name: subjects.recipe, digest: { sha256: Sha256.parse(built.recipe) } },
      ...artifacts.map(({ platform, zip }) => subject(subjects.artifact(platform), zip)),
      ...[...sboms].map(([platform, text]) => subject(subjects.sbom(platform), text)),
    ],
    predicateType: PREDICATE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          component: ComponentName.parse(source.component),
          version: ComponentVersion.parse(source.version),
        },
        internalParameters: {
          node: built.nodeVersion,
          esbuild: readJson(Package, join(root, "node_modules/esbuild/package.json")).version,
        },
        resolvedDependencies: [...sourcesOf(root, built), ...packagesOfAll(artifacts)],
      },
      runDetails: { builder: { id: BUILDER } },
    },
  };
  return { sboms, statement: `${JSON.stringify(statement, undefined, 2)}\n` };
}

/** One digest for all sources: of the list that `sha256sum` prints of them. */
function sourcesOf(root: string, { source, sources }: Built) {
  if (sources.length === 0) return [];
  const list = sources.map((file) => `${sha256(readFileSync(join(root, file)))}  ${file}\n`).join("");
  return [{ uri: `sources:${source.folder}`, digest: { sha256: sha256(list) } }];
}

function packagesOfAll(artifacts: readonly BuiltArtifact[]) {
  const packages = new Map(
    artifacts.flatMap((each) => each.packages.map((one) => [refOf(one), one.integrity] as const)),
  );
  return [...packages]
    .flatMap(([uri, integrity]) =>
      integrity?.startsWith("sha512-") === true
        ? [
            {
              uri,
              digest: { sha512: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") },
            },
          ]
        : [],
    )
    .toSorted((a, b) => (a.uri < b.uri ? -1 : 1));
}
