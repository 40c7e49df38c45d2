import { topics } from "@coalmine/contract";
import type { ComponentUse } from "../hosted/component-use.ts";
import type { Check } from "./checks.ts";
import type { WitnessedRegion } from "./witnessed-region.ts";

/** What one component used on all devices of a fleet; of open files the most on one. */
interface Used extends ComponentUse {
  /** Messages by topic, local ones and those to IoT Core. */
  readonly published: ReadonlyMap<string, number>;
  /** Of its work folders. */
  readonly diskBytes: number;
}

/** What each component of a fleet had used at an instant. */
export interface FleetUse {
  readonly atMs: number;
  readonly devices: number;
  readonly components: ReadonlyMap<string, Used>;
}

/** A release may say so much more, and so much less; beside it a few a device and hour are chance. */
const SAID_RATIO = { most: 1.5, least: 0.5 } as const;
const SAID_SPARE = 30;
/** Files that a new version may hold open beyond those of the old one. */
const FILES_SPARE = 8;
/** A work folder grows by what waits for upload; beyond the running release's by no more a device and hour. */
const DISK_SPARE_BYTES = 192 * 1024;
const HOUR_MS = 3_600_000;

export function fleetUse({ region, conduct }: Pick<WitnessedRegion, "region" | "conduct">): FleetUse {
  const { devices, clock } = region;
  const published = new Map<string, Map<string, number>>();
  for (const [key, count] of conduct.published) {
    const [, component = "", , topic = ""] = key.split(" ");
    const of = published.get(component) ?? new Map<string, number>();
    published.set(component, of.set(topic, (of.get(topic) ?? 0) + count));
  }
  const components = new Map<string, Used>();
  for (const device of devices) {
    const { work } = device.diskUse();
    for (const [component, use] of device.uses()) {
      const sum = components.get(component);
      components.set(component, {
        published: published.get(component) ?? new Map(),
        lines: use.lines + (sum?.lines ?? 0),
        openFiles: Math.max(use.openFiles, sum?.openFiles ?? 0),
        diskBytes: (work.get(component) ?? 0) + (sum?.diskBytes ?? 0),
      });
    }
  }
  return { atMs: clock.now(), devices: devices.length, components };
}

type Spell = readonly [from: FleetUse, until: FleetUse];

/** The candidate's use beside that of what runs now, each over a spell of its own. */
export function useChecks(running: Spell, candidate: Spell): Check[] {
  const names = [...candidate[1].components.keys()];
  const said = compared(
    names,
    running,
    candidate,
    "messages and log lines",
    (before, after) =>
      after > SAID_RATIO.most * before + SAID_SPARE || after < SAID_RATIO.least * before - SAID_SPARE,
  )(({ published, lines }) => total(published) + lines);
  const grown = compared(
    names,
    running,
    candidate,
    "bytes",
    (before, after) => after > Math.max(0, before) + DISK_SPARE_BYTES,
  )(({ diskBytes }) => diskBytes);
  const held = names.flatMap((name) => {
    const [before, after] = [running, candidate].map(
      ([, { components }]) => components.get(name)?.openFiles ?? 0,
    );
    return (after ?? 0) > (before ?? 0) + FILES_SPARE ? [`${name} ${after}, and had ${before}`] : [];
  });
  return [
    check("components say as much as they did", said),
    check("work folders grow as they did", grown),
    check("files that were opened are closed", held),
  ];
}

/** What differs, in words, a device and hour. */
function compared(
  names: readonly string[],
  running: Spell,
  candidate: Spell,
  unit: string,
  differs: (before: number, after: number) => boolean,
) {
  return (of: (use: Used) => number): string[] =>
    names.flatMap((name) => {
      const [before, after] = [running, candidate].map((spell) => rate(spell, name, of));
      if (before === undefined || after === undefined || !differs(before, after)) return [];
      return [`${name} ${after.toFixed(0)} ${unit} a device and hour, and before ${before.toFixed(0)}`];
    });
}

function rate([from, until]: Spell, name: string, of: (use: Used) => number): number | undefined {
  const [first, last] = [from.components.get(name), until.components.get(name)];
  if (first === undefined || last === undefined) return undefined;
  return (of(last) - of(first)) / from.devices / ((until.atMs - from.atMs) / HOUR_MS);
}

/** Whether the health of each component comes every `everySeconds`, as it was told to while it ran. */
export function configurationCheck([from, until]: Spell, everySeconds: number): Check {
  const expected = ((until.atMs - from.atMs) / 1000 / everySeconds) * from.devices;
  const deaf = [...until.components.keys()].flatMap((name) => {
    const topic = topics.health(name);
    const [first, last] = [from, until].map(({ components }) => components.get(name)?.published.get(topic));
    const said = (last ?? 0) - (first ?? 0);
    return last === undefined || said >= 0.8 * expected
      ? []
      : [`${name} said its health ${said} times, not ${expected}`];
  });
  return check("a changed configuration counts at once", deaf);
}

function check(name: string, wrong: readonly string[]): Check {
  return { name, ok: wrong.length === 0, found: wrong.length === 0 ? "all do" : wrong.join("; ") };
}

function total(published: ReadonlyMap<string, number>): number {
  return [...published.values()].reduce((sum, count) => sum + count, 0);
}
