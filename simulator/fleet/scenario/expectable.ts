import { counterChecks, type Check } from "../evidence/checks.ts";
import type { PlayedOnProcesses } from "../process/scenario/play-on-processes.ts";
import { lacking } from "../release/deploy.ts";
import type { ReleaseRegion } from "../release/release-region.ts";
import type { Played } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { Duration } from "./units.ts";

/** One thing that can be expected, in words with holes, and how it is checked. */
export interface Sentence {
  readonly words: string;
  readonly check: (of: Played, words: readonly string[]) => Found | Promise<Found>;
  /** How it is known of process devices, where it can be. */
  readonly checkOnProcesses?: (of: PlayedOnProcesses, words: readonly string[]) => Found | Promise<Found>;
  /** Somewhere or in sum, not on each device: parts of a fleet cannot tell. */
  readonly ofWhole?: true;
  readonly impossible?: (scenario: Omit<Scenario, "expect">, words: readonly string[]) => string | undefined;
}
type Found = Omit<Check, "name">;

const POINTS_PER_CURVE = 20;

/** Everything that a scenario can expect. A new sentence is one entry here. */
export const expectable: readonly Sentence[] = [
  {
    words: "every device runs the {release} release at the end",
    check: (of, [release = ""]) => allRun(of, release),
    checkOnProcesses: (of, [release = ""]) => allRun(of, release),
    impossible: ({ releases }, [release = ""]) => {
      const last = releases.findLast((one) => "release" in one);
      return last !== undefined && "release" in last && last.release === release
        ? undefined
        : `the last release that is deployed is the ${last !== undefined && "release" in last ? last.release : "none"} one`;
    },
  },
  {
    words: "no deployment fails",
    check: ({ deployed }) => {
      const failed = deployed.flatMap(({ failure }) => failure ?? []);
      return arrived(failed, deployed.length);
    },
    checkOnProcesses: ({ failures, deployments }) => arrived(failures, deployments),
    impossible: ({ releases }) =>
      releases.some((one) => "refused" in one && one.refused)
        ? "a configuration is to be refused, and that deployment fails"
        : undefined,
  },
  {
    words: "the configuration is refused everywhere",
    check: ({ deployed, region }) => {
      const refused = deployed.filter(({ isRefusalWanted }) => isRefusalWanted);
      const by = refused.map(({ refusals }) => refusals);
      return {
        ok: by.length > 0 && by.every((count) => count === region.devices.length),
        found: `refused by ${by.join(", ")} of ${region.devices.length} devices`,
      };
    },
    impossible: ({ releases }) =>
      releases.some((one) => "refused" in one && one.refused)
        ? undefined
        : "no configuration is deployed that is to be refused",
  },
  {
    words: "a deployment takes at least {duration} somewhere",
    ofWhole: true,
    check: ({ deployed }, [least = ""]) => {
      const most = Math.max(0, ...deployed.flatMap(({ tookMs }) => tookMs));
      return { ok: most >= Duration.parse(least), found: `the longest took ${Math.round(most / 1000)} s` };
    },
    impossible: (scenario, [least = ""]) =>
      Duration.parse(least) > Math.max(...scenario.releases.map(({ within }) => within))
        ? "a deployment that takes so long is late already"
        : undefined,
  },
  {
    words: "at least {count} readings are measured on every device",
    check: ({ region }, [least = ""]) => {
      const fewest = Math.min(
        ...region.devices.map(({ thingName }) =>
          [...region.ledgersOf(thingName).values()]
            .flatMap((ledger) => ledger.boots())
            .reduce((sum, { readings }) => sum + readings, 0),
        ),
      );
      return { ok: fewest >= Number(least), found: `at least ${fewest}` };
    },
    checkOnProcesses: ({ region, measured }, [least = ""]) => {
      const fewest = Math.min(
        ...region.devices.map(({ thingName }) =>
          measured
            .filter(({ thing }) => thing === thingName)
            .reduce((sum, { readings }) => sum + readings, 0),
        ),
      );
      return { ok: fewest >= Number(least), found: `at least ${fewest}` };
    },
    impossible: ({ load, lasts, fleet }, [least = ""]) => {
      const instruments = Math.min(...fleet.sites.map((site) => site.instruments.length));
      const most =
        Math.ceil(Math.max(0, lasts - load.firstCurveAfter) / load.curveEvery + 1) *
        POINTS_PER_CURVE *
        instruments;
      return Number(least) > most ? `the load makes at most ${most} in the time that it lasts` : undefined;
    },
  },
  {
    words: "every window has its result, and nothing is refused",
    check: ({ health }) => {
      const checks = counterChecks(health.versions());
      return { ok: checks.every(({ ok }) => ok), found: checks.map(({ found }) => found).join("; ") };
    },
  },
  {
    words: "{component} starts again at least {count} times",
    ofWhole: true,
    check: ({ events }, [component = "", least = ""]) => {
      const starts = events.filter(
        (event) =>
          event.kind === "device" &&
          event.event.kind === "component" &&
          event.event.component.name === component &&
          event.event.component.state === "STARTING",
      ).length;
      const things = new Set(events.map(({ thingName }) => thingName)).size;
      return { ok: starts - things >= Number(least), found: `${starts} starts on ${things} devices` };
    },
    impossible: ({ faults, releases }) =>
      faults.length === 0 && releases.length < 2
        ? "nothing is broken or deployed that would start it again"
        : undefined,
  },
  {
    words: "every device is connected at the end",
    check: ({ region }) => {
      const off = region.devices.filter(({ hasPower, core }) => !hasPower || !core.isConnected);
      return {
        ok: off.length === 0,
        found: off.length === 0 ? "all" : told(off.map(({ thingName }) => thingName)),
      };
    },
    impossible: ({ faults, lasts, settles }) => {
      const lasting = faults.find(
        (fault) => fault.kind === "cut" && (fault.at ?? 0) + fault.for >= lasts + settles,
      );
      return lasting === undefined ? undefined : "a link is cut for longer than the scenario lasts";
    },
  },
  {
    words: "at least {count} points are marked {cause}",
    ofWhole: true,
    check: ({ lake }, [least = "", cause = ""]) => {
      const marked = lake.causes[cause] ?? 0;
      return { ok: marked >= Number(least), found: `${marked} of ${lake.rows}` };
    },
    checkOnProcesses: ({ lake }, [least = "", cause = ""]) => {
      const marked = lake.causes[cause] ?? 0;
      return { ok: marked >= Number(least), found: `${marked} of ${lake.rows}` };
    },
  },
  {
    words: "the instruments overwrite nothing",
    check: ({ region }) => {
      const lost = region.devices.flatMap(({ bench }) =>
        bench.instruments.filter(({ overwritten }) => overwritten > 0),
      );
      return { ok: lost.length === 0, found: lost.length === 0 ? "nothing" : told(lost.map(({ id }) => id)) };
    },
  },
];

async function allRun(
  {
    region,
    running,
    candidate,
  }: Pick<PlayedOnProcesses, "running" | "candidate"> & {
    readonly region: Pick<ReleaseRegion, "cloud" | "devices">;
  },
  release: string,
): Promise<Found> {
  const wanted = release === "candidate" ? candidate : running;
  const late: string[] = [];
  for (const { thingName } of region.devices) {
    const lacks = await lacking(region, wanted, thingName);
    if (lacks.length > 0) late.push(`${thingName}: ${lacks.join(", ")}`);
  }
  return { ok: late.length === 0, found: late.length === 0 ? "all" : told(late) };
}

function arrived(failures: readonly string[], deployments: number): Found {
  return {
    ok: failures.length === 0,
    found: failures.length === 0 ? `${deployments} arrived` : told(failures),
  };
}

function told(what: readonly string[]): string {
  return `${what.length}: ${what.slice(0, 3).join("; ")}`;
}
