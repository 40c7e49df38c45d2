import { componentNames } from "@coalmine/contract";
import * as z from "zod";
import { lineInstrumentKinds } from "../../instruments/line-instruments.ts";
import { SWITCHING_ON_MS } from "../driven/switching-on.ts";
import { deviceClasses, namesOf } from "./device-classes.ts";
import { ScenarioFault } from "./fault-kinds.ts";
import { Expectation } from "./expectations.ts";
import { impossibilities } from "./impossible.ts";
import { Duration, Size } from "./units.ts";

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "a name is small letters, digits and hyphens");
/** A month is the longest that a device is promised to be alone. */
const LASTS_MS_MAX = 32 * 24 * 3_600_000;
const FAULTS_MAX = 200;
/** An hour until the last file is due, the longest cut of an unsteady line, and time to try again. */
export const SETTLES_MS = 135 * 60_000;

const instrumentKinds = ["rheometer", ...lineInstrumentKinds] as const;
const linkKinds = ["good", "unsteady"] as const;

/** Devices that stand together: they share a time zone, and what happens to the site happens to all of them. */
const Site = z.strictObject({
  name: Name,
  /** Of the fleet's devices; the shares of all sites are 1 together. */
  share: z.number().gt(0).max(1).default(1),
  deviceClass: z.enum(namesOf(deviceClasses)).default("gateway"),
  timeZone: z
    .string()
    .refine(isTimeZone, "no time zone of that name; write one of the IANA database, as in Europe/Berlin")
    .default("UTC"),
  /** `unsteady` loses its line every four hours or so, for up to 45 min. */
  link: z.enum(linkKinds).default("good"),
  /** On each of its devices. */
  instruments: z
    .array(z.enum(instrumentKinds))
    .min(1)
    .max(4)
    .refine(([first]) => first === "rheometer", "the first is a rheometer; others stand beside it")
    .default(["rheometer"]),
});

const within = Duration.default(90 * 60_000);
/** What is deployed, and by when every device has to have it. */
const Release = z.strictObject({
  at: Duration,
  release: z.enum(["running", "candidate"]),
  within,
});
const Configure = z.strictObject({
  at: Duration,
  configure: z.enum(Object.values(componentNames)),
  merge: z.record(z.string(), z.json()),
  within,
  /** The devices are to refuse it. */
  refused: z.boolean().default(false),
});

/** A scenario as its file says it. */
export const Scenario = z
  .strictObject({
    about: z.string().min(1).describe("What it shows, in a sentence or two."),
    /** Which gate before publishing plays it: every push's, only the longer one, or none. */
    gate: z.enum(["default", "full", "none"]).default("none"),
    /** On virtual time in memory, or as processes of this machine in real time. */
    runsOn: z.enum(["hosted", "process"]).default("hosted"),
    fleet: z
      .strictObject({
        devices: z.int().min(1).max(10_000).default(20),
        /** All are switched on within this. */
        joinWithin: Duration.default(SWITCHING_ON_MS),
        sites: z
          .array(Site)
          .min(1)
          .max(50)
          .default([Site.parse({ name: "site" })]),
      })
      .prefault({}),
    load: z
      .strictObject({
        curveEvery: Duration.default(300_000),
        controlEvery: z.int().min(0).max(1000).default(12),
        /** Until then the instruments rest: what happens before happens to a fleet at rest. */
        firstCurveAfter: Duration.default(0),
      })
      .prefault({}),
    releases: z
      .array(z.union([Release, Configure]))
      .min(1)
      .max(20)
      .default([{ at: 0, release: "running", within: 90 * 60_000 }]),
    lasts: Duration.refine((ms) => ms > 0 && ms <= LASTS_MS_MAX, "more than nothing, and at most 32 d"),
    /** Then the instruments rest, and what was measured has so long to arrive. */
    settles: Duration.default(SETTLES_MS),
    faults: z.array(ScenarioFault).max(FAULTS_MAX).default([]),
    /** Components that a fault may bring to BROKEN. */
    mayBreak: z.array(z.enum(Object.values(componentNames))).default([]),
    expect: z.array(Expectation).min(1, "say what is expected, or a run proves nothing"),
    bounds: z
      .strictObject({ time: Duration.default(600_000), memory: Size.default(4 * 1024 ** 3) })
      .prefault({}),
  })
  .superRefine((scenario, context) => {
    for (const { path, message } of impossibilities(scenario))
      context.addIssue({ code: "custom", path: [...path], message });
  });
export type Scenario = z.infer<typeof Scenario>;
export type Site = z.infer<typeof Site>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
