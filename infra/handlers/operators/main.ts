/** The operators' API, as AWS Lambda runs it. */
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { KeptDocuments } from "../../../pipeline/controller/kept.ts";
import { openRegion } from "../../../pipeline/controller/region.ts";
import { RolloutLog } from "../../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../../pipeline/controller/target-time.ts";
import { TargetError, targetsOf } from "../../../pipeline/target.ts";
import { operatorsFunction } from "./operators.ts";

const { COALMINE_ACCOUNT } = z.object({ COALMINE_ACCOUNT: z.string() }).parse(process.env);
const targets = targetsOf(process.env);
const regions = targets.map((target) => openRegion(target, COALMINE_ACCOUNT));
const [home] = regions;
if (home === undefined) throw new TargetError("COALMINE_TARGETS names no target");

export const operators = operatorsFunction({
  api: {
    log: new RolloutLog(home.dynamodb, systemClock),
    kept: new KeptDocuments(home.s3, home.target.artifactBucket),
    targets,
    time: targetTime({ clock: systemClock, controlTokens: {}, tickMs: 1000 }),
  },
  regions,
  clock: systemClock,
});
