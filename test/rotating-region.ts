import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { ClaimCloud } from "../api/claims/claim-cloud.ts";
import { CommissioningSide } from "../cli/system/commissioning-side.ts";
import { functionNames } from "../infra/identity/functions.ts";
import { certificateRule, names } from "../infra/identity/identity.ts";
import type { CloudFunctions } from "../simulator/cloud/functions.ts";
import type { DrivenRegion } from "../simulator/fleet/driven/region.ts";
import { usualNames } from "../simulator/fleet/driven/usual-settings.ts";
import { openWitnessed } from "../simulator/fleet/evidence/witnessed-region.ts";

interface RotatingRegion {
  readonly region: DrivenRegion;
  readonly claims: ClaimCloud;
  close(): Promise<void>;
}

/** A driven region whose devices' certificates are changed by the function that AWS would run, behind the same rule. */
export async function openRotatingRegion(
  options: Pick<Parameters<typeof openWitnessed>[0], "devices" | "artifactFolder" | "load">,
): Promise<RotatingRegion> {
  const side = new CommissioningSide(systemClock, silentLog);
  let hold = (): (() => void) => () => undefined;
  const functions = held(side.functions, () => hold());
  const witnessed = await openWitnessed({ ...options, seed: "rotation", faultyShare: 0, functions });
  const { region } = witnessed;
  hold = () => region.clock.busy();
  const door = await region.cloud.listen({ host: "127.0.0.1", port: 0 });
  const credentials = { accessKeyId: "AKIANOBODY", secretAccessKey: "none" };
  const settings = { region: region.region, endpoint: door.endpoint, credentials };
  const claims = await side.open(settings, usualNames.lakeBucket);
  await region.turn.change(() =>
    region.cloud.invoke("iot", "CreateTopicRule", {
      ruleName: names.certificateRule,
      topicRulePayload: certificateRule(functionNames.certificates),
    }),
  );
  return {
    region,
    claims,
    close: async () => {
      side.close();
      await door.close();
      await region.close();
    },
  };
}

/** What a function asks of the cloud goes over the loopback: the region's clock stands meanwhile. */
function held(functions: CloudFunctions, hold: () => () => void): CloudFunctions {
  return Object.fromEntries(
    Object.entries(functions).map(([name, call]) => [
      name,
      async (event: unknown) => {
        const done = hold();
        try {
          return await call(event);
        } finally {
          done();
        }
      },
    ]),
  );
}
