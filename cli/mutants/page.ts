import { isMutant, mutantNames, mutants } from "../../simulator/fleet/mutants/catalogue.ts";
import type { Mutant } from "../../simulator/fleet/mutants/mutant.ts";
import { type Caught, type LayerName, layers, type Outcome } from "./layer.ts";

const titles: Readonly<Record<LayerName, string>> = {
  check: "check",
  hosted: "rehearsal, hosted",
  weighed: "rehearsal, processes",
  canary: "canary",
};

/** The page of the catalogue, out of what was found. */
export function pageOf(caught: Caught): string {
  const names = mutantNames.filter(isMutant).toSorted();
  const known = (name: string, of: readonly LayerName[]): boolean =>
    of.some((layer) => typeof caught[name]?.[layer]?.by === "string");
  const count = (of: readonly LayerName[]): number => names.filter((name) => known(name, of)).length;
  const rehearsals = ["hosted", "weighed"] as const;
  const met = names.flatMap((name) => caught[name]?.hosted?.devices ?? []);
  const devices = [...new Set(met)].toSorted((a, b) => a - b).join(" or ");
  const rows = names.map((name) => {
    const { what, harm }: Mutant = mutants[name];
    const cells = layers.map((layer) => cell(caught[name]?.[layer]));
    return `| ${[name, `${what}: ${harm}`, ...cells].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `# Bad releases, and where each is caught

Written by \`npm run -s mutants\`, from \`simulator/fleet/mutants/\`; \`--only NAME\` runs one, \`--layers check,hosted\` some
layers. Each is built from a copy of the sources into an artifact, and meets every layer, also behind the one that stops it:

- **check**: types, lint, and the tests that the push touches, all of them in their place.
- **rehearsal, hosted**: \`simulator/fleet/rehearsal\` with ${devices} devices, up from what runs now and back.
- **rehearsal, processes**: the release and what runs now, each in a process of its own, weighed against each other.
- **canary**: the judge on the driven region, asked where nothing before it was enough.

A cell names what stopped it, the seconds of the wall, and the hours on the devices' clock; – is not caught, and an empty cell
was not asked. Of ${names.length} bad releases ${count(layers)} are caught before the main fleet, ${count(rehearsals)} of them in the rehearsal.

| release | what its author meant: what it does | ${layers.map((layer) => titles[layer]).join(" | ")} |
| --- | --- | ${layers.map(() => "---").join(" | ")} |
${rows.join("\n")}
`;
}

function cell(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "";
  const { by, seconds, hours } = outcome;
  const time = `${Math.round(seconds)} s${hours === undefined ? "" : `, ${hours.toFixed(1)} h`}`;
  return by === null ? "–" : `${by} (${time})`;
}
