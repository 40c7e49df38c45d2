import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { faultsOf, faultsText } from "../faults.ts";
import { faultsOfBundle } from "./bundle-faults.ts";
import { Bundle, Device } from "./bundle.ts";
import { ToldJudgement } from "./judgement.ts";

/** A bundle that cannot be judged: every fault of it, a line each. */
export class BundleError extends CoalmineError {
  readonly code = "ERR_BUNDLE";
}

/** Reads a bundle that somebody hands in; `name` is what it is called in the refusal. @throws BundleError */
export function readBundle(text: string, name: string): Bundle {
  return wellFormed(parseBundle(text, name), name);
}

/** A bundle that has every field, though they may contradict each other. @throws BundleError */
export function parseBundle(text: string, name: string): Bundle {
  return parseAs(Bundle, parseJson(text, name), name);
}

/** A list of devices, by itself or in a bundle. @throws BundleError */
export function readDevices(text: string, name: string): Device[] {
  const json = parseJson(text, name);
  return Array.isArray(json)
    ? parseAs(z.array(Device), json, name)
    : parseAs(z.looseObject({ devices: z.array(Device) }), json, name).devices;
}

/** A verdict with the digest of its bundle, as `coalmine judge run --json` prints it. @throws BundleError */
export function readJudgement(text: string, name: string): ToldJudgement {
  return parseAs(ToldJudgement, parseJson(text, name), name);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (failure) {
    throw new BundleError(
      `${name} is not JSON (${messageOf(failure)}); docs/judge-bundle.md describes what is read`,
      { cause: failure },
    );
  }
}

function parseAs<Schema extends z.ZodType>(schema: Schema, json: unknown, name: string): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw refusal(name, faultsOf(parsed.error, json));
}

/** The bundle, whose parts fit together. */
export function wellFormed(bundle: Bundle, name: string): Bundle {
  const faults = faultsOfBundle(bundle);
  if (faults.length > 0) throw refusal(name, faults);
  return bundle;
}

function refusal(name: string, faults: readonly string[]): BundleError {
  return new BundleError(
    `${name} cannot be used:\n${faultsText(faults)}\ncorrect it; docs/judge-bundle.md says what each field may be`,
  );
}
