import type { calibrationLimits, Fit } from "@coalmine/instrument/guided-calibration/calibration-fit";
import type { CalibrationState } from "@coalmine/instrument/guided-calibration/guided-calibration";
import type { AdapterState, Lease, SeenNetwork } from "@coalmine/site";
import type { CertificateProblem } from "../../eap/eap-certificate.ts";
import type { RefusalReason } from "../../refusal.ts";
import type { ClockBattery } from "../../technician/clock-battery.ts";
import type { Place } from "../answers.ts";
import type { Language } from "../../language.ts";
import type { Frame, StepName, StepState } from "../screen.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { it } from "./it.ts";
import { pt } from "./pt.ts";

/** Everything that a technician reads on the way, in one language. A missing text does not compile. */
export interface Texts {
  readonly language: Language;
  readonly frame: Frame;
  readonly steps: Readonly<Record<StepName, string>>;
  readonly states: Readonly<Record<StepState, string>>;
  /** What stopped a step, and what to do; the sentence with the values stands below it. */
  readonly refusals: Readonly<Record<RefusalReason, string>>;
  readonly busy: string;
  readonly moved: (step: string) => string;
  readonly notYet: (step: string) => string;
  readonly noSuchButton: (action: string) => string;
  readonly site: {
    readonly welcome: string;
    readonly serial: string;
    readonly fields: Readonly<Record<keyof Place, string>>;
    readonly hints: Readonly<Record<keyof Place, string>>;
    readonly keep: string;
  };
  readonly clock: {
    readonly device: string;
    readonly neverSet: string;
    readonly agrees: (seconds: number) => string;
    readonly differs: (seconds: number) => string;
    /** Empty where there is nothing to say. */
    readonly battery: Readonly<Record<ClockBattery, string>>;
    readonly check: string;
    readonly set: string;
    readonly keep: string;
    readonly now: string;
    readonly nowHint: string;
    readonly notSettable: (why: string) => string;
  };
  readonly network: {
    readonly adapters: string;
    readonly mac: string;
    readonly noAdapter: string;
    readonly states: Readonly<Record<Exclude<AdapterState["kind"], "connected">, string>>;
    readonly connected: (lease: Lease) => string;
    readonly scan: string;
    readonly scanAgain: string;
    readonly seen: string;
    readonly nothingSeen: (hidden: number) => string;
    readonly hidden: string;
    readonly pick: string;
    readonly join: string;
    readonly cable: (adapter: string) => string;
    /** By 802.1X. */
    readonly guarded: (adapter: string) => string;
    readonly static: (adapter: string) => string;
    readonly useStatic: string;
    readonly keep: string;
    readonly without: string;
    readonly back: string;
    readonly ssid: string;
    readonly security: string;
    readonly securities: Readonly<Record<SeenNetwork["security"], string>>;
    readonly otherSecurity: (ssid: string) => string;
    readonly identity: string;
    readonly passphrase: string;
    readonly byCertificate: string;
    readonly byPassword: string;
    readonly certificate: string;
    readonly certificateHint: string;
    readonly key: string;
    readonly keyHint: string;
    readonly keyPassword: string;
    readonly authority: string;
    readonly authorityHint: string;
    readonly certificateProblems: Readonly<
      Record<Exclude<CertificateProblem["kind"], "not-valid">, string>
    > & {
      /** Days, as 2026-11-28. */
      readonly "not-valid": (from: string, until: string) => string;
    };
    readonly address: string;
    readonly gateway: string;
    readonly dns: string;
    readonly proxy: string;
    readonly proxyIs: string;
    readonly proxyHost: string;
    readonly proxyPort: string;
    readonly exceptions: string;
    readonly useProxy: string;
    readonly noProxy: string;
  };
  readonly checks: {
    readonly what: string;
    readonly run: string;
    readonly again: string;
    readonly found: string;
    readonly allWell: string;
    readonly notWell: string;
    readonly request: string;
    readonly keep: string;
    readonly keepAllTheSame: string;
  };
  readonly selfTest: {
    readonly what: string;
    readonly test: string;
    readonly again: string;
    readonly found: string;
    readonly without: string;
    readonly why: string;
    readonly leaveOut: string;
    readonly back: string;
  };
  readonly calibration: {
    readonly what: string;
    readonly noInstrument: string;
    readonly noFluid: string;
    readonly instrument: string;
    readonly fluid: string;
    readonly begin: string;
    readonly done: string;
    readonly again: string;
    readonly accept: string;
    readonly finish: string;
    readonly without: string;
    readonly tasks: Readonly<Record<CalibrationState["step"], string>>;
    readonly settling: (curves: number, celsius: number | undefined) => string;
    readonly measuring: (curves: number) => string;
    readonly fit: (
      fit: Fit,
      limits: typeof calibrationLimits,
    ) => readonly { readonly label: string; readonly value: string }[];
  };
  readonly identity: {
    readonly what: string;
    readonly code: string;
    readonly codeHint: string;
    readonly use: string;
    readonly install: string;
    readonly later: string;
    readonly made: string;
    readonly certificate: string;
    readonly codeErased: string;
    readonly codeThere: string;
  };
  readonly label: {
    readonly what: string;
    readonly make: string;
    readonly picture: (serial: string, code: string) => string;
    readonly byHand: string;
    readonly print: string;
    readonly keep: string;
  };
  readonly report: {
    readonly what: string;
    readonly make: string;
    readonly again: string;
    readonly finished: string;
    readonly pending: string;
    readonly files: string;
  };
  readonly door: {
    readonly title: string;
    readonly ask: string;
    readonly open: string;
    readonly wrong: string;
    readonly shut: (seconds: number) => string;
  };
}

export const texts: Readonly<Record<Language, Texts>> = { en, es, pt, it, de };
