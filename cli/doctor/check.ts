import { CoalmineError, messageOf } from "@coalmine/runtime";
import { sdkFailure } from "../command/sdk-failure.ts";
import type { Finding } from "../../commissioning/doctor/finding.ts";

/** What one check found. `advised` works, and will be missed one day. */
export type Found =
  | { readonly state: "ok"; readonly sentence: string }
  | {
      readonly state: "failed";
      readonly kind: "permission" | "unreachable" | "other";
      readonly sentence: string;
      readonly remedy: string;
    }
  | { readonly state: "advised" | "not checked"; readonly sentence: string; readonly remedy: string };

export interface Check<Of> {
  readonly name: string;
  /** What goes wrong, mostly in silence, where it is not as it should be. */
  readonly why: string;
  /** Whether it can be looked at before the stacks are there; the others are about what the stacks make. */
  readonly when: "before" | "after";
  readonly look: (of: Of) => Promise<Found>;
}

export type DoctorFinding = Found & { readonly check: string; readonly why?: string | undefined };

export const fine = (sentence: string): Found => ({ state: "ok", sentence });
export const bad = (
  sentence: string,
  remedy: string,
  kind: "permission" | "unreachable" | "other" = "other",
): Found => ({ state: "failed", kind, sentence, remedy });
export const advised = (sentence: string, remedy: string): Found => ({ state: "advised", sentence, remedy });
export const unseen = (sentence: string, remedy: string): Found => ({
  state: "not checked",
  sentence,
  remedy,
});

const CHECK_MS_MAX = 30_000;

/** Looks at everything, one after the other; what cannot be looked at is said, and is never taken for good. */
export async function lookAll<Of>(checks: readonly Check<Of>[], of: Of): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  for (const { name, why, look } of checks)
    findings.push({ check: name, why, ...(await within(look(of)).catch(notLooked)) });
  return findings;
}

/** Why each look at a core device matters; of components' rights the same for each. */
const deviceWhys: readonly (readonly [RegExp, string])[] = [
  [
    /identity/,
    "whoever can read the key is this device; without its files a nucleus starts, and never connects",
  ],
  [/clock/, "a clock that is wrong fails every TLS connection with a sentence about certificates"],
  [/way to AWS IoT/, "an inspecting proxy or a closed port looks like a device that is switched off"],
  [/room/, "a release that does not fit fails after it was downloaded, and the device keeps the old one"],
  [/commissioning/, "what is half-done looks commissioned until somebody needs the other half"],
  [
    /rights|serial|log folder/,
    "a component that may not open its port or folder runs, and has nothing to say",
  ],
];

export function ofDevice({ check, ...found }: Finding): DoctorFinding {
  return { check, why: deviceWhys.find(([of]) => of.test(check))?.[1], ...found };
}

async function within(look: Promise<Found>): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found>((resolve) => {
    timer = setTimeout(
      () =>
        resolve(
          bad(
            `nothing answered within ${CHECK_MS_MAX / 1000} s`,
            "look at the network, and at a proxy in between",
            "unreachable",
          ),
        ),
      CHECK_MS_MAX,
    );
  });
  return Promise.race([look, late]).finally(() => clearTimeout(timer));
}

function notLooked(failure: unknown): Found {
  const { name, code, status } = sdkFailure(failure);
  const sentence = `${name ?? "failure"}: ${messageOf(failure)}`;
  if (status === 403 || /AccessDenied|UnauthorizedOperation/.test(String(name)))
    return bad(
      sentence,
      "let whoever runs this read it: the managed policies SecurityAudit and ViewOnlyAccess do",
      "permission",
    );
  if (failure instanceof CoalmineError) return bad(failure.message, "do as the sentence says");
  if (code !== undefined || status === undefined)
    return bad(sentence, "look at the network: DNS, proxy, and port 443 to AWS", "unreachable");
  return unseen(sentence, "look at this by hand, or ask again later");
}
