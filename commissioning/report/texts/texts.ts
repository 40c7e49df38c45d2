import type { Language } from "../../language.ts";
import type { Quantity, StepName, StepRecord } from "../report.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { it } from "./it.ts";
import { pt } from "./pt.ts";

/** Every text of report and label. A language that lacks one does not compile. */
export interface Texts {
  readonly title: string;
  readonly passed: string;
  readonly failed: string;
  readonly identityPending: string;
  readonly sections: Readonly<
    Record<
      | "device"
      | "steps"
      | "network"
      | "instruments"
      | "measured"
      | "calibration"
      | "identity"
      | "deviations"
      | "versions"
      | "authenticity",
      string
    >
  >;
  readonly facts: Readonly<
    Record<
      | "thing"
      | "code"
      | "site"
      | "room"
      | "asset"
      | "region"
      | "technician"
      | "started"
      | "finished"
      | "clock"
      | "certificate"
      | "claim"
      | "hash"
      | "signature"
      | "byHand",
      string
    >
  >;
  readonly columns: Readonly<
    Record<
      | "step"
      | "outcome"
      | "remark"
      | "check"
      | "target"
      | "time"
      | "port"
      | "instrument"
      | "firmware"
      | "quantity"
      | "value"
      | "limit"
      | "reference"
      | "nominal"
      | "deviation",
      string
    >
  >;
  readonly steps: Readonly<Record<StepName, string>>;
  readonly quantities: Readonly<Record<Quantity, string>>;
  readonly because: Readonly<Record<Extract<StepRecord, { outcome: "left" }>["because"], string>>;
  readonly done: string;
  readonly left: string;
  readonly notMeasured: string;
  readonly clockAhead: (seconds: string) => string;
  readonly clockBehind: (seconds: string) => string;
  readonly claimErased: string;
  readonly claimThere: string;
  readonly limits: Readonly<Record<"least" | "most", (value: string) => string>>;
  readonly repeatability: (share: string) => string;
  readonly none: string;
  readonly notSigned: string;
  readonly signed: (certificateId: string) => string;
  readonly page: (number: number, count: number) => string;
  /** Said where a name holds letters that the fonts of a PDF lack. */
  readonly lettersReplaced: string;
  readonly label: Readonly<Record<"serial" | "site" | "room" | "asset", string>>;
}

export const texts: Readonly<Record<Language, Texts>> = { en, es, pt, it, de };
