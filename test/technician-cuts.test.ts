import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
import { Closing } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { durableFiles } from "../commissioning/durable-files.ts";
import type { Deed, StepName, View } from "../commissioning/flow/screen.ts";
import { onlyCut, PowerCut } from "../commissioning/power-cut.fixture.ts";
import type { Program } from "../commissioning/technician/program.ts";
import { filesBelow } from "./files-below.ts";
import { type LocalRegion, startLocalRegion } from "./local-region.ts";
import { newDevice } from "./technician-site.ts";

/** Each point of some hundred and sixty in `npm run test:long`, which take an hour where others work too; here one of so many. */
const POINTS_APART = process.env["COALMINE_LONG"] === "1" ? 1 : 97;
/** An instrument that is quick for its kind. */
const POINT_INTERVAL_MS = 5;
const DEEDS_MAX = 40;

let folder: string;
let region: LocalRegion;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cuts-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

test("cut at every write of the technician's whole way, the device goes on where it was: one identity, its report sent, its calibration kept, no code left", async () => {
  let points: readonly string[] = [];
  for (let n = 1; ; n += POINTS_APART) {
    const closing = new Closing();
    try {
      const device = await newDevice(region, folder, `core-cut-${n}`, closing, POINT_INTERVAL_MS);
      const cut = new PowerCut(n);
      const wasCut = await goThrough(device.code, () => device.power(cut.files(durableFiles))).then(
        () => false,
        onlyCut,
      );
      const where = cut.points.at(-1);
      if (wasCut) await goThrough(device.code, () => device.power());
      const principals = await region.iot.send(new ListThingPrincipalsCommand({ thingName: device.serial }));
      expect(principals.principals, where).toHaveLength(1);
      for (const { path, text } of await filesBelow(device.root))
        expect(text.replaceAll("-", "").includes(device.code.replaceAll("-", "")), `${path}, ${where}`).toBe(
          false,
        );
      const again = await device.power();
      expect(again.device.entries.sent, where).toBeDefined();
      expect(again.book.answers.calibrations, where).toHaveLength(1);
      const left = (await filesBelow(device.root)).find(({ path }) =>
        path.endsWith("site-calibrations.json"),
      );
      expect(JSON.parse(left?.text ?? "{}"), where).toEqual({
        version: 1,
        records: again.book.answers.calibrations,
      });
      if (!wasCut) {
        points = cut.points;
        break;
      }
    } finally {
      await closing.close();
    }
  }
  // What a technician answers, decides and makes is among them.
  const written = points.filter((name) => name.startsWith("before ")).map((name) => name.slice(7));
  expect(new Set(written)).toEqual(
    new Set([
      "answers.json",
      "journal.json",
      "claim-code",
      "AmazonRootCA1.pem",
      "private.pem.key",
      "device.csr",
      "ownership-token",
      "device.pem.crt",
      "config.yaml",
      "site-calibrations.json",
      "erasing claim-code",
      "erasing ownership-token",
      "erasing device.csr",
      "label.svg",
      "label.pdf",
      "label-203dpi.zpl",
      "label-300dpi.zpl",
      "report.json",
      "report.txt",
      "report.html",
      "report.pdf",
      "report.seal.json",
    ]),
  );
}, 5_400_000);

test("where nothing leaves the building but by a proxy with an account, clock, code, MQTT and check list go by it, and the nucleus is told; its password is in two files that are their owner's alone", async () => {
  const closing = new Closing();
  try {
    const device = await newDevice(region, folder, "core-proxy", closing, POINT_INTERVAL_MS);
    const { site, root } = device;
    const account = { user: "ward-7", password: "pr0xy-pw" };
    site.change({ proxy: { account, isOnlyWay: true } });
    await goThrough(device.code, () => device.power(), "network");
    const { flow } = await device.power();
    const values = {
      "proxy-host": site.proxyAt.host,
      "proxy-port": String(site.proxyAt.port),
      "proxy-user": account.user,
      "proxy-password": "not this one",
    };
    const name = async (password: string) => {
      if (flow.view.step !== "network") flow.go("network");
      await flow.act({ step: "network", action: "proxy", values: {} });
      const typed = { ...values, "proxy-password": password };
      await flow.act({ step: "network", action: "use-proxy", values: typed });
    };
    await name("not this one");
    await flow.act({ step: "network", action: "cable-eth0", values: {} });
    await flow.act({ step: "network", action: "keep", values: {} });
    await flow.act({ step: "checks", action: "run", values: {} });
    expect(JSON.stringify(flow.view.blocks)).toMatch(/asks for an account \(407\)|407/);
    await name(account.password);
    await goThrough(device.code, () => device.power());

    const { ports } = region.cloud;
    const claims = new URL(region.claiming.claimEndpoint);
    for (const port of [ports.mqtt, ports.credentials, ports.dataPlane, claims.port])
      expect(site.proxied).toContain(`localhost:${port}`);
    const holders = (await filesBelow(root)).filter(({ text }) => text.includes(account.password));
    expect(holders.map(({ path, mode }) => `${path.split("/").at(-1)} ${mode}`).toSorted()).toEqual([
      "config.yaml 600",
      "proxy.json 600",
    ]);
  } finally {
    await closing.close();
  }
}, 120_000);

/** Somebody who does what each screen asks for first, from wherever the device is. */
async function goThrough(code: string, power: () => Promise<Program>, until?: StepName): Promise<void> {
  const { flow } = await power();
  for (let deeds = 0; deeds < DEEDS_MAX; deeds++) {
    const { view } = flow;
    if (view.steps.every(({ state }) => state === "done") || view.step === until) return;
    await flow.act(deedFor(view, code));
    const refused = flow.view.blocks.find((block) => block.kind === "note" && block.tone === "bad");
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
  }
  throw new Error(`after ${DEEDS_MAX} deeds it is still at ${JSON.stringify(flow.view)}`);
}

function deedFor({ step, blocks, buttons }: View, code: string): Deed {
  const typed: Record<string, string> = { site: "st-mary", technician: "Ada", code };
  const values: Record<string, string> = {};
  for (const block of blocks) {
    if (block.kind === "input" && typed[block.name] !== undefined)
      values[block.name] = typed[block.name] ?? "";
    if (block.kind === "choice") values[block.name] = block.options[0]?.value ?? "";
    if (block.kind === "now") values[block.name] = String(systemClock.now());
  }
  const button = buttons.find(({ kind }) => kind === "primary") ?? buttons[0];
  // Nothing is to be tested twice: what was calibrated before a cut is finished.
  const finish = buttons.find(({ action }) => step === "calibration" && action === "finish");
  return { step, action: (finish ?? button)?.action ?? "", values };
}
