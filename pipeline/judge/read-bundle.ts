import { CoalmineError, messageOf } from "@coalmine/runtime";
import { faultsOf, faultsText } from "../faults.ts";
import { faultsOfBundle } from "./bundle-faults.ts";
import { Bundle } from "./bundle.ts";

/** A bundle that cannot be judged: every fault of it, a line each. */
export class BundleError extends CoalmineError {
  readonly code = "ERR_BUNDLE";
}

/** Reads a bundle that somebody hands in; `name` is what it is called in the refusal. */
export function readBundle(text: string, name: string): Bundle {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (failure) {
    throw new BundleError(
      `${name} is not JSON (${messageOf(failure)}); docs/judge-bundle.md describes a bundle`,
      { cause: failure },
    );
  }
  const parsed = Bundle.safeParse(json);
  if (!parsed.success) throw refusal(name, faultsOf(parsed.error, json));
  return wellFormed(parsed.data, name);
}

/** The bundle, whose parts fit together. */
export function wellFormed(bundle: Bundle, name: string): Bundle {
  const faults = faultsOfBundle(bundle);
  if (faults.length > 0) throw refusal(name, faults);
  return bundle;
}

function refusal(name: string, faults: readonly string[]): BundleError {
  return new BundleError(
    `${name} cannot be judged:\n${faultsText(faults)}\ncorrect it; docs/judge-bundle.md says what each field may be`,
  );
}
