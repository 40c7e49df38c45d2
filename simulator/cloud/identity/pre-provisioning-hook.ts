import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError } from "../service.ts";

/** @see https://docs.aws.amazon.com/iot/latest/developerguide/pre-provisioning-hook.html */
const ANSWER_MS_MAX = 5000;

/** What AWS tells a pre-provisioning hook. */
export interface HookRequest {
  readonly claimCertificateId: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly templateArn: string;
  readonly clientId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const HookAnswer = z.object({
  allowProvisioning: z.boolean(),
  parameterOverrides: z.record(z.string(), z.string()).default({}),
});

export type CallFunction = (arn: string, event: unknown) => Promise<unknown>;

/**
 * Asks the hook, and gives the parameters that it overrides. A device is told no reason: not of a refusal, and not of a
 * hook that fails, is slow, or answers what it should not.
 */
export async function askHook(
  call: CallFunction,
  targetArn: string,
  request: HookRequest,
  clock: Clock,
): Promise<Readonly<Record<string, string>>> {
  const ended = new AbortController();
  const late = clock.sleep(ANSWER_MS_MAX, ended.signal).catch(() => undefined);
  const answer = await Promise.race([call(targetArn, request).catch(() => undefined), late]);
  ended.abort();
  const read = HookAnswer.safeParse(answer);
  if (read.success && read.data.allowProvisioning) return read.data.parameterOverrides;
  throw new ServiceError("AccessDenied", 403, "Access Denied");
}
