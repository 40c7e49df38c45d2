/** The rollout controller, as AWS Lambda runs it each minute and on hints. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { SNSClient } from "@aws-sdk/client-sns";
import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { Controller } from "../../../pipeline/controller/controller.ts";
import { openRegion } from "../../../pipeline/controller/region.ts";
import { targetTime } from "../../../pipeline/controller/target-time.ts";
import { PIPELINE_NAME } from "../../../pipeline/definition.ts";
import { signersOf } from "../../../pipeline/supply/signers.ts";
import { TargetError, targetsOf } from "../../../pipeline/target.ts";
import { noticesBy } from "./notices.ts";
import { controllerFunction } from "./passes.ts";

const Environment = z.object({
  AWS_REGION: z.string(),
  COALMINE_ACCOUNT: z.string(),
  NOTICE_TOPIC: z.string(),
});
const { AWS_REGION, COALMINE_ACCOUNT, NOTICE_TOPIC } = Environment.parse(process.env);
const say = (line: string): void => console.log(line);
const [home, ...others] = targetsOf(process.env).map((target) => openRegion(target, COALMINE_ACCOUNT));
if (home === undefined) throw new TargetError("COALMINE_TARGETS names no target");

const controller = new Controller({
  regions: [home, ...others],
  pipeline: PIPELINE_NAME,
  policy: readFileSync(new URL("policy.yaml", import.meta.url), "utf8"),
  time: targetTime({ clock: systemClock, controlTokens: {}, tickMs: 1000 }),
  clock: systemClock,
  newSeed: () => randomBytes(16).toString("hex"),
  notify: noticesBy(new SNSClient({ region: AWS_REGION }), NOTICE_TOPIC),
  log: jsonLog("controller", systemClock, say),
  signers: signersOf(process.env),
});

export const passes = controllerFunction({ controller, clock: systemClock, metricLine: say });
