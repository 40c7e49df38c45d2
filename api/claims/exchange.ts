import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateProvisioningClaimCommand } from "@aws-sdk/client-iot";
import { type ClaimCode, ClaimCodeText } from "@coalmine/contract/claim-code";
import type {
  CodeRefusal,
  ExchangeAnswer,
  ExchangeRequest,
  WhyAnswer,
} from "@coalmine/contract/commissioning";
import { addHistory } from "../devices/history.ts";
import { hasCounted } from "../devices/registry.ts";
import type { ClaimCloud } from "./claim-cloud.ts";
import { bindKey, type ClaimRecord, putClaim, recordOf } from "./claim-record.ts";
import { replayMetric } from "./replay-metric.ts";
import { TRIES_MAX, tried, forgiven } from "./tries.ts";

/** A code was not taken. */
export class CodeRefused extends Error {
  override readonly name = "CodeRefused";
  readonly refusal: CodeRefusal;
  constructor(reason: CodeRefusal["reason"], message: string) {
    super(message);
    this.refusal = { reason, message };
  }
}

/**
 * A claim certificate of five minutes for a code and the device key that shows it. The code is this key's from then on:
 * the same device may come again after a power cut, until it has been a device; whoever else shows the code is
 * refused, and alarms. `source` is where the request comes from. @throws CodeRefused
 */
export async function exchangeCode(
  cloud: ClaimCloud,
  request: ExchangeRequest,
  source: string,
): Promise<ExchangeAnswer> {
  const record = await known(cloud, request, source);
  if (record.expiresMs <= cloud.clock.now())
    throw new CodeRefused(
      "expired",
      `the code ${record.id}-… was good until ${new Date(record.expiresMs).toISOString()}; ask for a new one`,
    );
  if (!(await bindKey(cloud, record.id, request.key)))
    return replayed(cloud, record, "another device has used it");
  if (record.certificateId !== undefined && (await hasCounted(cloud, record.certificateId)))
    return replayed(cloud, record, `it has made the device ${record.device ?? ""}`);
  const { iot, template } = cloud;
  const claim = await iot.send(new CreateProvisioningClaimCommand({ templateName: template }));
  await putClaim(cloud, claim.certificateId ?? "", record.id);
  return {
    certificatePem: claim.certificatePem ?? "",
    privateKeyPem: claim.keyPair?.PrivateKey ?? "",
  };
}

/** What the allow-list said to the device that has this code. @throws CodeRefused */
export async function whyRefused(
  cloud: ClaimCloud,
  request: ExchangeRequest,
  source: string,
): Promise<WhyAnswer> {
  const record = await known(cloud, request, source);
  if (record.key !== undefined && record.key !== request.key)
    return replayed(cloud, record, "another device has used it");
  return record.refusal === undefined ? {} : { refusal: record.refusal };
}

/** Unknown ids and wrong secrets are refused alike, so that no answer helps to guess. */
async function known(cloud: ClaimCloud, request: ExchangeRequest, source: string): Promise<ClaimRecord> {
  const read = ClaimCodeText.safeParse(request.code);
  if (!read.success)
    throw new CodeRefused("malformed", read.error.issues[0]?.message ?? "this is not a claim code");
  const code: ClaimCode = read.data;
  const taken = await tried(cloud, source);
  if (taken === undefined)
    throw new CodeRefused(
      "too-many",
      `${TRIES_MAX} wrong codes came from this address within a minute; wait a minute, and compare the code with the paper`,
    );
  const record = await recordOf(cloud, code);
  if (record === undefined)
    throw new CodeRefused("wrong", "this code is not known; compare it with the paper, or ask for a new one");
  await forgiven(cloud, taken);
  return record;
}

/** Told, kept and alarmed: somebody has a copy of the code, or a device was commissioned that nobody expected. */
async function replayed(
  cloud: ClaimCloud,
  { id, device, allowed }: ClaimRecord,
  why: string,
): Promise<never> {
  const { cloudwatch, log } = cloud;
  log.warn("A claim code was shown again.", { code: id, device: device ?? allowed.serial ?? "", why });
  const thing = device ?? allowed.serial;
  if (thing !== undefined) await addHistory(cloud, thing, { kind: "replayed", code: id, why });
  await cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: replayMetric.Namespace,
      MetricData: [{ MetricName: replayMetric.MetricName, Value: 1, Unit: "Count" }],
    }),
  );
  throw new CodeRefused(
    "used",
    `the code ${id}-… is used up: ${why}. If that was not you, tell whoever gave you the code; ask for a new one`,
  );
}
