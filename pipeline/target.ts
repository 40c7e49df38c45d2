import { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { S3Client } from "@aws-sdk/client-s3";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";

/**
 * A target of rollouts: a region, and where it is. Without an endpoint it is AWS's own; on one machine every target
 * has one, and its credentials are of no use elsewhere.
 */
export const Target = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  endpoint: z.url().optional(),
  /** Where artifacts are published in that region. */
  artifactBucket: z.string().min(3).max(63),
  /** Where the region's measurements are. */
  lakeBucket: z.string().min(3).max(63),
  /** The thing groups: all devices of the target, and those that are in no canary. */
  canaryGroup: z.string(),
  mainGroup: z.string(),
  /** The control API of a driven region: its clock moves when it is called. */
  controlUrl: z.url().optional(),
});
export type Target = z.infer<typeof Target>;

export class TargetError extends CoalmineError {
  readonly code = "ERR_TARGETS";
}

/** The targets that the environment names in `COALMINE_TARGETS`, a JSON list; the first is home. */
export function targetsOf(
  environment: Readonly<Record<string, string | undefined>>,
): [home: Target, ...others: Target[]] {
  const text = environment["COALMINE_TARGETS"];
  const remedy =
    "Start through `npm run rollout` or `npm start`, which set it, or write the targets of your account into it.";
  if (text === undefined)
    throw new TargetError(`COALMINE_TARGETS is not set, so there is nowhere to go. ${remedy}`);
  try {
    return z.tuple([Target], Target).parse(JSON.parse(text));
  } catch (failure) {
    throw new TargetError(
      `COALMINE_TARGETS cannot be read as a list of targets: ${text.slice(0, 200)}. ${remedy}`,
      { cause: failure },
    );
  }
}

/** Settings of any AWS client for that target; credentials come from the environment, as everywhere. */
export function clientSettings(target: Pick<Target, "region" | "endpoint">): {
  region: string;
  endpoint?: string;
} {
  return { region: target.region, ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint }) };
}

export function greengrassOf(target: Target): GreengrassV2Client {
  return new GreengrassV2Client(clientSettings(target));
}

export function s3Of(target: Target): S3Client {
  return new S3Client({ ...clientSettings(target), forcePathStyle: target.endpoint !== undefined });
}
