import { componentNames, ThingName } from "@coalmine/contract";
import * as z from "zod";
import { Duration, SignedDuration } from "./units.ts";

const Component = z.enum(Object.values(componentNames));

/** When a fault happens: at a time, again and again, so often a day and device, or at a stage of a deployment. */
const when = {
  at: Duration.optional(),
  every: Duration.refine((ms) => ms >= 1000, "at most once a second").optional(),
  perDay: z.number().positive().max(1000).optional(),
  stage: z.enum(["preparing", "merging", "rolling back"]).optional(),
  /** So long after the stage was reached. */
  after: Duration.optional(),
  /** Of what repeats: from when until when. */
  from: Duration.optional(),
  until: Duration.optional(),
};
/** Whom it concerns; every device where nothing is said. */
const whom = {
  things: z.array(ThingName).min(1).optional(),
  share: z.number().gt(0).max(1).optional(),
  devices: z.int().min(1).optional(),
  site: z.string().optional(),
  deviceClass: z.string().optional(),
};
const lasting = { for: Duration.refine((ms) => ms > 0, "it lasts longer than nothing") };
const onDevices = { ...when, ...whom };
const onCalls = {
  ...when,
  ...whom,
  service: z.string().min(1),
  operation: z.string().optional(),
  probability: z.number().positive().max(1).default(1),
  ...lasting,
};

/** Everything that can be broken in a scenario, and what each needs to be told. */
const kinds = [
  /** No way to the cloud, and neither end is told. */
  z.strictObject({ kind: z.literal("cut"), ...onDevices, ...lasting }),
  /** Everything between device and cloud takes so much longer, each way. */
  z.strictObject({
    kind: z.literal("slow"),
    ...onDevices,
    ...lasting,
    delay: Duration.refine((ms) => ms >= 1 && ms <= 60_000, "1 ms to 1 min"),
  }),
  z.strictObject({ kind: z.literal("power-cut"), ...onDevices, ...lasting }),
  /** The nucleus and all it started die; its loader starts it again. */
  z.strictObject({ kind: z.literal("kill-nucleus"), ...onDevices }),
  z.strictObject({ kind: z.literal("kill-component"), ...onDevices, component: Component }),
  /** The kernel kills a component, another one each `killEvery`, as it does when memory is short. */
  z.strictObject({
    kind: z.literal("memory-pressure"),
    ...onDevices,
    ...lasting,
    killEvery: Duration.default(120_000),
  }),
  /** Every write of a component is refused. */
  z.strictObject({ kind: z.literal("disk-full"), ...onDevices, ...lasting }),
  z.strictObject({ kind: z.literal("disk-read-only"), ...onDevices, ...lasting }),
  /** The device's clock is set, jumps or drifts, until somebody sets it right again. */
  z.strictObject({ kind: z.literal("clock-set"), ...onDevices, ...lasting, to: z.iso.datetime() }),
  z.strictObject({ kind: z.literal("clock-jump"), ...onDevices, ...lasting, by: SignedDuration }),
  z.strictObject({
    kind: z.literal("clock-drift"),
    ...onDevices,
    ...lasting,
    ppm: z.number().min(-10_000).max(10_000),
  }),
  /** The cloud's clock is ahead of the devices' from then on. */
  z.strictObject({ kind: z.literal("jump-clock"), ...when, by: Duration }),
  /** The cloud refuses, fails, or does what it was asked and its answer is lost. */
  z.strictObject({ kind: z.literal("throttle"), ...onCalls }),
  z.strictObject({
    kind: z.literal("error"),
    ...onCalls,
    status: z.literal([500, 502, 503, 504]).default(500),
  }),
  z.strictObject({ kind: z.literal("drop-reply"), ...onCalls }),
  /** What happens to the instrument and its cable. */
  z.strictObject({ kind: z.literal("unplug"), ...onDevices, ...lasting }),
  z.strictObject({ kind: z.literal("swap"), ...onDevices, ...lasting }),
  z.strictObject({ kind: z.literal("clog"), ...onDevices, ...lasting }),
  /** Such a share of the chunks on the cable arrives with wrong bytes. */
  z.strictObject({
    kind: z.literal("garbage"),
    ...onDevices,
    ...lasting,
    portion: z.number().gt(0).max(1).default(0.2),
  }),
  /** The device's certificate does not count; at the end it does again. */
  z.strictObject({ kind: z.literal("certificate-expired"), ...onDevices, ...lasting }),
  /** The device gets another certificate, and the old one is deactivated. */
  z.strictObject({ kind: z.literal("certificate-rotated"), ...onDevices }),
  /** A component of somebody else asks that updates wait, again and again. */
  z.strictObject({
    kind: z.literal("defer"),
    ...onDevices,
    ...lasting,
    wait: Duration.default(20_000),
  }),
] as const;

export const faultKinds = kinds.map(({ shape }) => shape.kind.value);

/** One fault as a scenario writes it. */
export const ScenarioFault = z.discriminatedUnion("kind", kinds).superRefine((fault, context) => {
  const { at, every, perDay, stage, after, from, until } = fault;
  const refuse = (message: string): void => context.addIssue({ code: "custom", message });
  const given = Object.entries({ at, every, perDay, stage }).filter(([, value]) => value !== undefined);
  if (given.length !== 1)
    refuse(
      `say once when it happens: at, every, perDay or stage, not ${given.map(([name]) => name).join(" and ") || "nothing"}`,
    );
  const repeats = every !== undefined || perDay !== undefined;
  if (stage === undefined && after !== undefined) refuse("after is for what waits for a stage");
  if (!repeats && until !== undefined) refuse("until is for what repeats");
  if (!repeats && stage === undefined && from !== undefined)
    refuse("from is for what repeats or waits for a stage");
  if (repeats && until === undefined) refuse("say until when it repeats");
  const ways = new Set(["things", "share", "devices"]);
  const named = Object.entries(fault).flatMap(([name, value]) =>
    ways.has(name) && value !== undefined ? [name] : [],
  );
  if (named.length > 1) refuse(`say whom it concerns once, not by ${named.join(" and ")}`);
});
export type ScenarioFault = z.infer<typeof ScenarioFault>;
