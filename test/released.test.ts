import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { expect, inject, test } from "vitest";
import * as z from "zod";
import { readBuild } from "../pipeline/build/build-manifest.ts";
import { sha256 } from "../pipeline/build/digest.ts";
import { isAllowed } from "../pipeline/supply/licences.ts";
import { digestsOf, sbomFile, statementFile, statementOf, subjects } from "../pipeline/supply/statement.ts";

const { dist } = inject("built");

test("this checkout builds what recipes/released.json says of its versions; else run npm run bump", () => {
  const { components } = readBuild(dist);
  expect(components.length).toBeGreaterThanOrEqual(6);
  const other = components.filter(({ released }) => !released);
  expect(other.map(({ component, version }) => `${component} ${version}`)).toEqual([]);
});

/** The parts of CycloneDX 1.6 that a reader of bills needs, with what its schema demands of them. */
const Hashes = z.array(
  z.union([
    z.object({ alg: z.literal("SHA-256"), content: z.string().regex(/^[0-9a-f]{64}$/) }),
    z.object({ alg: z.literal("SHA-512"), content: z.string().regex(/^[0-9a-f]{128}$/) }),
  ]),
);
const Part = z.object({
  type: z.enum(["application", "library", "file", "platform", "machine-learning-model"]),
  "bom-ref": z.string().min(1),
  name: z.string(),
  version: z.string().optional(),
  purl: z
    .string()
    .regex(/^pkg:[a-z]+\/[^ ]+@[^ ]+$/)
    .optional(),
  hashes: Hashes.optional(),
  licenses: z
    .array(
      z.union([z.object({ license: z.object({ id: z.string() }) }), z.object({ expression: z.string() })]),
    )
    .optional(),
});
const Bill = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.literal(1),
  metadata: z.object({ component: Part }),
  components: z.array(Part),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

test("the bill of each artifact lists just the files that are in it, and the notice in it names each package of the bill", async () => {
  for (const { component, version, artifacts } of readBuild(dist).components)
    for (const [platform, { file, sha256: digest }] of Object.entries(artifacts)) {
      const text = await readFile(join(dist, sbomFile(component, version, platform)), "utf8");
      const { metadata, components, dependencies } = Bill.parse(JSON.parse(text));
      expect(metadata.component).toMatchObject({ name: component, version, hashes: [{ content: digest }] });
      const files = unzipSync(await readFile(join(dist, file)));
      expect(
        Object.fromEntries(
          components
            .filter(({ type }) => type === "file")
            .map((part) => [part.name, part.hashes?.[0]?.content]),
        ),
      ).toEqual(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])));

      // Every reference is one part, and every part hangs on the artifact.
      const refs = components.map((part) => part["bom-ref"]);
      expect(new Set(refs).size).toBe(refs.length);
      const edges = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
      const reached = new Set<string>();
      const open = [metadata.component["bom-ref"]];
      for (let ref = open.pop(); ref !== undefined; ref = open.pop())
        for (const next of edges.get(ref) ?? [])
          if (!reached.has(next)) {
            reached.add(next);
            open.push(next);
          }
      expect([...reached].sort()).toEqual(refs.toSorted());

      const notice = new TextDecoder().decode(files["NOTICE"]);
      for (const { name, version: own, purl, licenses = [], hashes } of components) {
        if (purl?.startsWith("pkg:npm/") !== true) continue;
        expect(hashes?.[0]?.alg).toBe("SHA-512");
        const [licence] = licenses;
        expect(
          isAllowed(
            licence === undefined ? "" : "license" in licence ? licence.license.id : licence.expression,
          ),
          name,
        ).toBe(true);
        expect(notice).toContain(name.startsWith("node-linux") ? `Node.js ${own}` : `${name} ${own} (`);
      }
    }
});

test("what is stated of each version is of its recipe, its artifacts and their bills, and of every package in them", async () => {
  for (const { component, version, recipe, artifacts } of readBuild(dist).components) {
    const statement = statementOf(
      await readFile(join(dist, statementFile(component, version)), "utf8"),
      component,
      version,
    );
    const expected = new Map<string, string>([[subjects.recipe, recipe]]);
    const packages = new Set<string>();
    for (const [platform, artifact] of Object.entries(artifacts)) {
      const bill = await readFile(join(dist, sbomFile(component, version, platform)), "utf8");
      expected.set(subjects.artifact(platform), artifact.sha256).set(subjects.sbom(platform), sha256(bill));
      for (const { purl } of Bill.parse(JSON.parse(bill)).components)
        if (purl?.startsWith("pkg:npm/") === true) packages.add(purl);
    }
    expect(digestsOf(statement)).toEqual(expected);
    const { resolvedDependencies } = statement.predicate.buildDefinition;
    expect(
      resolvedDependencies
        .map(({ uri }) => uri)
        .filter((uri) => uri.startsWith("pkg:"))
        .sort(),
    ).toEqual([...packages].sort());
  }
});
