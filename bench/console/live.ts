import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
} from "@aws-sdk/client-iot";
import { componentNames } from "@coalmine/contract";
import { Closing, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { Browser } from "playwright-core";
import { closeOperatorRegion, openOperatorRegion } from "../../api/operator-region.ts";
import { ACCOUNT } from "../../api/rig.ts";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { eachOf } from "../../pipeline/controller/region.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { EvidenceStore } from "../../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler } from "../../pipeline/evidence/handlers.ts";
import { operator, startTestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startOperatorServer } from "../../test/operator-server.ts";
import { atMost, type Metrics } from "../measure.ts";

const MINUTE_MS = 60_000;
/** Of the rows that are on the screen. */
const SHOWN = 10;
/** The first words find the page still at its beginning. */
const WARM_ROUNDS = 2;

/**
 * How long it takes from what a device says in the cloud until it stands on the page of all devices: by the rule's
 * handler, the evidence, the API and its stream, each real, while every device sends its heartbeat each minute.
 */
export async function live(
  browser: Browser,
  folder: string,
  { devices, rounds }: { readonly devices: number; readonly rounds: number },
  say: (sentence: string) => void,
): Promise<Metrics> {
  const closing = new Closing();
  process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
  try {
    const { cloud, endpoint } = closing.add(await startTestCloud(), (started) => started.close());
    const buckets = { artifactBucket: "artifacts", lakeBucket: "lake" };
    const groups = { canaryGroup: "canary", mainGroup: "main" };
    const target = { name: "home", region: "us-east-1", endpoint, ...buckets, ...groups };
    const region = closing.add(openOperatorRegion(target, ACCOUNT), closeOperatorRegion);
    const store = new EvidenceStore(region.dynamodb, target.name);
    await store.ensure(systemClock);
    const log = new RolloutLog(region.dynamodb, systemClock);
    await log.ensure();
    for (const thingGroupName of Object.values(groups))
      await region.iot.send(new CreateThingGroupCommand({ thingGroupName }));
    const things = Array.from({ length: devices }, (_, index) => `core-${String(index).padStart(4, "0")}`);
    await eachOf(things, async (thingName) => {
      await region.iot.send(new CreateThingCommand({ thingName }));
      await region.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: "main" }));
    });
    const put = (row: Parameters<typeof store.put>[0]): Promise<void> => store.put(row);
    const [heard, witnessed] = [heartbeatHandler(put, silentLog), cloudWitness(put)];
    const pending = new Set<Promise<void>>();
    cloud.events.on((event) => {
      if (event.kind !== "mqtt-message") return;
      const isHeartbeat = event.topic.endsWith("/heartbeat");
      const kept = isHeartbeat ? heard(event.topic, event.payload, event.at) : witnessed(event);
      pending.add(kept);
      void kept.finally(() => pending.delete(kept));
    });
    closing.add(pending, async (open) => {
      await Promise.all(open);
    });
    const says = (thing: string, topic: string, message: object): void =>
      cloud.events.emit({
        kind: "mqtt-message",
        topic,
        clientId: thing,
        at: Date.now(),
        payload: Buffer.from(JSON.stringify({ thing, ...message })),
      });
    let beats = 0;
    const beat = (): void => {
      const thing = things[beats % devices] ?? "";
      const sequence = Math.floor(beats++ / devices);
      says(thing, `coalmine/${thing}/heartbeat`, {
        version: 1,
        sentMs: Date.now(),
        sequence,
        components: [],
      });
    };
    for (const _ of things) {
      beat();
      await Promise.all(pending);
    }
    const beating = setInterval(beat, MINUTE_MS / devices);
    closing.add(beating, (timer) => clearInterval(timer));

    const { origin, link } = await startOperatorServer(closing, folder, {
      api: {
        log,
        kept: new KeptDocuments(region.s3, target.artifactBucket),
        targets: [target],
        time: { now: async () => Date.now(), waitUntil: async () => Date.now() },
      },
      regions: [region],
      clock: systemClock,
    });
    const page = await browser.newPage({ serviceWorkers: "block", viewport: { width: 1440, height: 900 } });
    await page.goto(link({ who: "bench", role: "viewer" }));
    await page.waitForSelector(".card, main section");
    await page.goto(`${origin}/#/devices`);
    await page.waitForSelector(`[data-row="${SHOWN - 1}"]`);
    const tookMs: number[] = [];
    for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
      const row = round % SHOWN;
      const thing = things[row] ?? "";
      const isBroken = Math.floor(round / SHOWN) % 2 === 0;
      const drawn = page.evaluate(untilRow(row, isBroken ? "Failing" : "Well"));
      const begunMs = performance.now();
      says(thing, `$aws/things/${thing}/greengrassv2/health/json`, {
        overallDeviceStatus: isBroken ? "UNHEALTHY" : "HEALTHY",
        components: [{ componentName: componentNames.inference, status: isBroken ? "BROKEN" : "RUNNING" }],
      });
      await drawn;
      if (round >= WARM_ROUNDS) tookMs.push(performance.now() - begunMs);
      // Looks come once a second: the next word comes anywhere between two.
      await systemClock.sleep((round * 137) % 1000, AbortSignal.timeout(MINUTE_MS));
    }
    await page.close();
    tookMs.sort((a, b) => a - b);
    const at = (share: number): number => (tookMs[Math.ceil(share * rounds) - 1] ?? Infinity) / 1000;
    say(`a device's word is on the page after ${at(0.5).toFixed(2)} s, p95 ${at(0.95).toFixed(2)} s`);
    return {
      live: atMost(at(0.95), `s, p95 of ${rounds}, ${devices} devices`, 2),
      liveMedian: { value: at(0.5), unit: "s" },
    };
  } finally {
    await closing.close();
  }
}

/** Looks at each frame whether a row says a word. */
function untilRow(row: number, word: string): string {
  return `new Promise((resolve) => {
    const look = () =>
      document.querySelector('[data-row="${row}"]')?.closest("[role=row]").textContent.includes("${word}")
        ? resolve()
        : requestAnimationFrame(look);
    look();
  })`;
}
