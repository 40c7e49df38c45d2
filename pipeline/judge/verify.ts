import { CoalmineError } from "@coalmine/runtime";
import type { Bundle } from "./bundle.ts";
import { changedParts, digestOf } from "./digest.ts";
import { draw } from "./draw.ts";
import { judge } from "./judge.ts";
import type { ToldJudgement } from "./judgement.ts";
import type { Verdict } from "./verdict.ts";

/** Fields of a verdict that are told; one change of the evidence moves many of them. */
const FIELDS_TOLD_MAX = 5;

/** What keeps a judgement from being what this bundle gives, a sentence each; none where it is, byte for byte. */
export function verifyJudgement(told: ToldJudgement, bundle: Bundle): string[] {
  return [
    ...faultsOfEvidence(told, bundle),
    ...faultsOfDraw(bundle),
    ...faultsOfVerdict(told.verdict, judge(bundle)),
  ];
}

function faultsOfEvidence({ bundle: was }: ToldJudgement, bundle: Bundle): string[] {
  const is = digestOf(bundle);
  const changed = changedParts(was, is);
  if (changed.length > 0)
    return [
      `the bundle was changed after it was judged, in ${changed.join(" and ")}: its SHA-256 is ${is.sha256}, and ${was.sha256} was judged`,
    ];
  return was.sha256 === is.sha256
    ? []
    : [
        `the verdict names ${was.sha256} as the bundle's SHA-256, which is ${is.sha256}: that line of it was changed`,
      ];
}

/** The canary has to be the one that the seed draws; of one that a person picked there is nothing to compute. */
export function faultsOfDraw({ devices, draw: told }: Pick<Bundle, "devices" | "draw">): string[] {
  if (told.how === "handPicked") return [];
  const asked = told.asked ?? told.canary.length;
  try {
    const { canary } = draw(devices, asked, told.seed);
    const strangers = told.canary.filter((thing) => !canary.includes(thing));
    const missing = canary.filter((thing) => !told.canary.includes(thing));
    if (strangers.length + missing.length === 0) return [];
    return [
      `the canary is not the one that the seed "${told.seed}" draws: it holds ${listed(strangers)} that are not drawn, and lacks ${listed(missing)}`,
    ];
  } catch (thrown) {
    if (!(thrown instanceof CoalmineError)) throw thrown;
    return [`the canary is not the one that the seed "${told.seed}" draws: ${thrown.message}`];
  }
}

/** Where a verdict says something else than the one that its bundle gives. */
export function faultsOfVerdict(told: unknown, given: Verdict): string[] {
  if (JSON.stringify(told) === JSON.stringify(given)) return [];
  const fields = differences(told, given, "");
  const more = fields.length - FIELDS_TOLD_MAX;
  return fields.length === 0
    ? ["the verdict has its fields in another order than the judge writes them: its text was changed"]
    : [
        ...fields.slice(0, FIELDS_TOLD_MAX),
        ...(more > 0 ? [`and ${more} more fields of the verdict differ`] : []),
      ];
}

function differences(told: unknown, given: unknown, path: string): string[] {
  if (isObject(told) && isObject(given)) {
    const keys = new Set([...Object.keys(given), ...Object.keys(told)]);
    return [...keys].flatMap((key) => {
      const inside = Array.isArray(given) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      return differences(Reflect.get(told, key), Reflect.get(given, key), inside);
    });
  }
  return Object.is(told, given)
    ? []
    : [
        `${path} is ${JSON.stringify(told) ?? "missing"} in the verdict, and the bundle gives ${JSON.stringify(given) ?? "nothing"}`,
      ];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function listed(things: readonly string[]): string {
  return things.length === 0 ? "none" : things.join(", ");
}
