import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { buildAssets } from "../../commissioning/page/assets.ts";
import { Instrument } from "../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../simulator/instruments/ledger.ts";
import { servePty } from "../../simulator/instruments/pty.ts";
import { Rheometer } from "../../simulator/instruments/rheometer.ts";
import { startLocalRegion } from "../../test/local-region.ts";
import { commissionIn } from "../../test/on-this-machine.ts";
import { atMost, type Bench, median } from "../measure.ts";

const DEVICES = Number(process.env["COALMINE_DEVICES"] ?? 100);
/** A crew of so many at a time, each at another device. */
const AT_ONCE = 10;

/** A fleet commissioned without anybody: one-time code, TLS, an instrument on a real pseudo-terminal; and the page's weight. */
export const bench: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), "bench-commissioning-"));
  const region = await startLocalRegion(join(folder, "cloud"));
  try {
    const left = Array.from({ length: DEVICES }, (_, index) => `core-${index + 1}`);
    const seconds: number[] = [];
    say(`${DEVICES} devices, ${AT_ONCE} at a time`);
    const began = performance.now();
    const crew = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const from = performance.now();
        await one(region, folder, name);
        seconds.push((performance.now() - from) / 1000);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, crew));
    const all = (performance.now() - began) / 60_000;
    const { html, script, style } = await buildAssets();
    const page = [html, script, style].map((text) => Buffer.from(text));
    return {
      fleet: atMost(all, `minutes for ${DEVICES} devices`, 5),
      device: { value: median(seconds), unit: "s a device, median" },
      pageGzip: atMost(page.reduce((sum, text) => sum + gzipSync(text).length, 0) / 1000, "kB gzip", 60),
      pageBrotli: {
        value: page.reduce((sum, text) => sum + brotliCompressSync(text).length, 0) / 1000,
        unit: "kB brotli",
      },
    };
  } finally {
    await region.cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

async function one(
  region: Awaited<ReturnType<typeof startLocalRegion>>,
  folder: string,
  name: string,
): Promise<void> {
  const serialFolder = join(folder, `${name}-ports`);
  mkdirSync(serialFolder);
  const random = new SeededRandom(name);
  const instrument = new Instrument({
    id: `rheo-${name}`,
    clock: systemClock,
    random,
    source: new Rheometer({ random: random.fork("rheometer") }),
    ledger: new MemoryLedger(),
    periodMs: 3_600_000,
    phaseMs: 3_000_000,
  });
  const served = servePty(instrument, serialFolder, systemClock);
  instrument.start();
  try {
    const { report } = await commissionIn(region, folder, { name, root: join(folder, name), serialFolder });
    if (!report.passed) throw new Error(`${name} was commissioned, and is not well`);
  } finally {
    instrument.stop();
    served.unplug();
  }
}
