import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Closing, invariant, SeededRandom } from "@coalmine/runtime";
import { play, type Rig, startRig } from "../api/rig.ts";
import { shortPolicy } from "../api/scripted-fleet.ts";
import { places, type Places, writeRunning } from "../cli/system/state.ts";
import { type FoldedRollout, readRollout } from "../pipeline/controller/folded.ts";
import { durationText } from "../pipeline/judge/verdict.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "./rig-cloud.ts";

/** A rollout that has ended, in clouds that still run and that commands find, for tests of what it left behind. */
export interface HaltedRollout {
  readonly rig: Rig;
  /** A folder for whatever a test writes; commands take it for their state. */
  readonly folder: string;
  readonly at: Places;
  readonly policy: string;
  readonly rollout: string;
  readonly folded: FoldedRollout;
  /** Of the look that halted it: its number from 0, and when it was. */
  readonly last: { readonly index: number; readonly elapsedMs: number; readonly text: string };
  close(): Promise<void>;
}

/** Twelve devices, of which four are drawn when their window opens at 01:00; more of their windows fail. */
const policy = shortPolicy
  .replace("    limit: { above: 0.2, exposureMin: 20 }\n", "")
  .replace("metrics: [heartbeats, failed windows]", "metrics: [heartbeats]")
  .replace("negligible: 0.1\n", "negligible: 0.01\n")
  .replace("canaryDevices: 3", 'canaryDevices: 4\n    windows: [{ from: "01:00", to: "23:00", zone: UTC }]')
  .replace("unjudgedDevicesMax: 3", "unjudgedDevicesMax: 4")
  .replace("draws: 199", "draws: 1999")
  .replace("alpha: 0.05", "alpha: 0.02");

export async function haltedRollout(): Promise<HaltedRollout> {
  process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
  const closing = new Closing();
  const folder = closing.add(mkdtempSync(join(tmpdir(), "halted-")), (one) =>
    rmSync(one, { recursive: true, force: true }),
  );
  const random = new SeededRandom("windows");
  const failed = (version: string) => (random.next() < (version === "1.0.1" ? 0.5 : 0.16) ? 1 : 0);
  const start = (name: string, region: string) => startCloud(closing, name, region);
  const rig = await startRig(start, closing, { home: 2, driven: 12 }, { failed }, policy);
  await rig.push("3333333ccccc", "1.0.1");
  const controller = rig.controller();
  const rollout = await play(rig, () => controller.tick());
  const folded = await readRollout(rig.api.log, rollout);
  const looks = folded?.looks["driven"] ?? [];
  const verdicts = looks.map(({ verdict }) => verdict).join(" ");
  invariant(/^(WAIT )+HALT$/.test(verdicts), `the rollout went another way: ${verdicts}`);
  const at = places(folder, {});
  mkdirSync(at.state, { recursive: true });
  writeRunning(at, {
    pid: process.pid,
    isUp: true,
    targets: [...rig.api.targets],
    repository: at.repository,
    accessKeyId: operator.accessKeyId,
    secretAccessKey: operator.secretAccessKey,
    controlTokens: { driven: "token" },
  });
  const elapsedMs = looks.at(-1)?.elapsedMs ?? 0;
  const last = { index: looks.length - 1, elapsedMs, text: durationText(elapsedMs) };
  invariant(folded !== undefined, "the rollout is not in its log");
  return { rig, folder, at, policy, rollout, folded, last, close: () => closing.close() };
}
