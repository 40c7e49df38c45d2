import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { SupplyError } from "./supply-error.ts";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";
/** Says how a build of this kind is repeated: the sources, with the lockfile's packages, and `npm run build`. */
export const BUILD_TYPE = "https://coalmine.example/build/v1";

const Digest = z.object({ sha256: Sha256 });
const Resource = z.looseObject({ name: z.string(), digest: Digest });

/**
 * What a build says of one component version, and a person signs: an in-toto statement with SLSA provenance. Its subjects
 * are the recipe (without URIs), the artifact of each platform and the bill of materials of each.
 */
export const Statement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(Resource).min(1).max(20),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.literal(BUILD_TYPE),
      externalParameters: z.object({ component: ComponentName, version: ComponentVersion }),
      internalParameters: z.object({ node: z.string(), esbuild: z.string() }),
      resolvedDependencies: z
        .array(
          z.object({
            uri: z.string(),
            digest: z.union([Digest, z.object({ sha512: z.string().regex(/^[0-9a-f]{128}$/) })]),
          }),
        )
        .max(2000),
    }),
    runDetails: z.object({ builder: z.object({ id: z.string() }) }),
  }),
});
export type Statement = z.infer<typeof Statement>;

/** Names of subjects. */
export const subjects = {
  recipe: "recipe",
  artifact: (platform: string) => `artifact/${platform}`,
  sbom: (platform: string) => `sbom/${platform}`,
} as const;

/** Where a build has a component version's statement and its bills, below `dist`; the bucket of a region has them so too. */
export const statementFile = (component: string, version: string): string =>
  `statements/${component}-${version}.json`;
export const envelopeFile = (component: string, version: string): string =>
  `statements/${component}-${version}.dsse.json`;
export const sbomFile = (component: string, version: string, platform: string): string =>
  `statements/${component}-${version}-${platform}.cdx.json`;

/** Where signatures are committed, beside the list of releases that they are of. */
export const SIGNED_FOLDER = "recipes/signed";

/** What is said of `component` `version`: subject → SHA-256. */
export function digestsOf(statement: Statement): ReadonlyMap<string, string> {
  return new Map(statement.subject.map(({ name, digest }) => [name, digest.sha256]));
}

/** Reads a statement, which has to be of this very version: one of another, older or newer, proves nothing here. */
export function statementOf(text: string, component: string, version: string): Statement {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (failure) {
    throw new SupplyError("ERR_SUPPLY_STATEMENT", `what was signed for ${component} ${version} is not JSON`, {
      cause: failure,
    });
  }
  const parsed = Statement.safeParse(json);
  if (!parsed.success)
    throw new SupplyError(
      "ERR_SUPPLY_STATEMENT",
      `what was signed for ${component} ${version} is no statement: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}; build it again, and sign that`,
      { cause: parsed.error },
    );
  const { externalParameters } = parsed.data.predicate.buildDefinition;
  if (externalParameters.component !== component || externalParameters.version !== version)
    throw new SupplyError(
      "ERR_SUPPLY_STATEMENT",
      `the statement is of ${externalParameters.component} ${externalParameters.version}, and was shown for ${component} ${version}; find out who put it there`,
    );
  return parsed.data;
}
