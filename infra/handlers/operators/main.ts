/** The operators' API, as AWS Lambda runs it. */
import { randomBytes } from "node:crypto";
import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { createRemoteJWKSet } from "jose";
import { openOperatorRegion } from "../../../api/operator-region.ts";
import { KeptDocuments } from "../../../pipeline/controller/kept.ts";
import { RolloutLog } from "../../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../../pipeline/controller/target-time.ts";
import { TargetError, targetsOf } from "../../../pipeline/target.ts";
import { operatorsFunction } from "./operators.ts";
import { Settings } from "./settings.ts";

const settings = Settings.parse(process.env);
const targets = targetsOf(process.env);
const [home, ...others] = targets.map((target) => openOperatorRegion(target, settings.COALMINE_ACCOUNT));
if (home === undefined) throw new TargetError("COALMINE_TARGETS names no target");

export const operators = operatorsFunction({
  settings,
  keys: createRemoteJWKSet(new URL(`${settings.COALMINE_ISSUER}/.well-known/jwks.json`)),
  newSecret: () => randomBytes(32).toString("base64url"),
  api: {
    log: new RolloutLog(home.dynamodb, systemClock),
    kept: new KeptDocuments(home.s3, home.target.artifactBucket),
    targets,
    time: targetTime({ clock: systemClock, controlTokens: {}, tickMs: 1000 }),
  },
  regions: [home, ...others],
  clock: systemClock,
  log: jsonLog("operators", systemClock, (line) => console.log(line)),
  name: randomBytes(6).toString("hex"),
});
