import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, type Metrics } from "../measure.ts";
import { setup as buildArtifacts } from "../../test/artifacts-setup.ts";
import { bareComponentsMs } from "./bare-components.ts";
import { hosted } from "./hosted.ts";
import { processFleet } from "./process-fleet.ts";

const GIB = 1024 ** 3;
/** Fewer, where a machine is to do something else too: what is measured then is not what is demanded. */
const DEVICES = Number(process.env["COALMINE_BENCH_DEVICES"] ?? 1000);
const HOURS = Number(process.env["COALMINE_BENCH_HOURS"] ?? 24);
/** `0` leaves the process fleet out. */
const PROCESSES = process.env["COALMINE_BENCH_PROCESS_DEVICES"];
/** Four times the devices, for so much shorter: growth with devices, not with hours, is what is asked. */
const GROWTH_HOURS = 2;
const GROWTH = 4;
/** Runs of one size differ by so much on a machine that nobody else uses. What does not grow with a fleet makes it less. */
const LINEAR_MAX = 1.1;
const DAY_SECONDS_MAX = 300;
const CORES = 2;

/** What a fleet takes of this machine: hosted on virtual time, and as processes in real time. */
export async function bench(say: (sentence: string) => void): Promise<Metrics> {
  const folder = mkdtempSync(join(tmpdir(), "bench-fleet-"));
  try {
    await buildArtifacts();
    say(`${DEVICES} hosted devices for ${HOURS} hours at the reference load, in two processes`);
    const day = await hosted(folder, DEVICES, HOURS);
    const deviceHourMs = (1000 * day.processorSeconds) / (DEVICES * HOURS);
    // It lasts for half an hour: what was found is told at once, whatever comes of the rest.
    say(
      `in ${day.seconds.toFixed(0)} s, ${deviceHourMs.toFixed(1)} ms of a device and hour, ${(day.bytesMax / GIB).toFixed(2)} GiB; the components' bundles alone`,
    );
    const bareMs = await bareComponentsMs(folder, CORES, false);
    say(`${bareMs.toFixed(1)} ms; the bundles, and what they send read`);
    const readMs = await bareComponentsMs(folder, CORES, true);
    say(
      `${readMs.toFixed(1)} ms; ${DEVICES} and ${GROWTH * DEVICES} hosted devices for ${GROWTH_HOURS} hours`,
    );
    const few = await hosted(folder, DEVICES, GROWTH_HOURS);
    const many = await hosted(folder, GROWTH * DEVICES, GROWTH_HOURS);
    const growth = many.processorSeconds / GROWTH / few.processorSeconds;
    say(`${growth.toFixed(3)} times the processor time a device; all ${DEVICES} in one process`);
    const alone = await hosted(folder, DEVICES, GROWTH_HOURS, { processes: 1, atATime: DEVICES });
    const processes = PROCESSES === "0" ? {} : await processFleet(folder, say);
    return {
      [`${DEVICES} hosted devices x ${HOURS} h`]: atMost(day.seconds, "s", DAY_SECONDS_MAX),
      "processor time of a device and hour": { value: deviceHourMs, unit: "ms" },
      // The limit: no device, broker or cloud beneath them, and still all that the reference load is.
      "of the components' bundles on ports that do nothing": { value: bareMs, unit: "ms" },
      "of these, with what they send allowed, copied, packed for MQTT, and read": {
        value: readMs,
        unit: "ms",
      },
      "a device and hour to the latter": { value: deviceHourMs / readMs, unit: "x" },
      "what the demand allows a device and hour": {
        value: (1000 * CORES * DAY_SECONDS_MAX) / (DEVICES * HOURS),
        unit: "ms",
      },
      "memory of both processes at most": atMost(day.bytesMax / GIB, "GiB", 4),
      [`processor time a device, ${GROWTH * DEVICES} devices to ${DEVICES}`]: atMost(growth, "", LINEAR_MAX),
      "one process, all devices at once, gives the digest that two give": {
        value: few.digest === alone.digest ? 1 : 0,
        unit: "",
        demand: "1",
        ok: few.digest === alone.digest,
      },
      ...processes,
      "load average": { value: loadavg()[0] ?? Number.NaN, unit: "" },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
