import type { Place } from "../service.ts";
import { greengrassError } from "./errors.ts";

/** A component version's ARN, read. Versions of AWS's own belong to the account `aws`. */
export interface ComponentArn {
  readonly account: string;
  readonly name: string;
  /** Absent in a component's own ARN. */
  readonly version: string | undefined;
}

export function componentArn(place: Place, account: string, name: string, version?: string): string {
  const arn = `arn:aws:greengrass:${place.region}:${account}:components:${name}`;
  return version === undefined ? arn : `${arn}:versions:${version}`;
}

export function parseComponentArn(text: unknown): ComponentArn {
  const match =
    /^arn:aws[\w-]*:greengrass:[a-z0-9-]+:(\d{12}|aws):components:([a-zA-Z0-9\-_.]{1,128})(?::versions:(.{1,64}))?$/.exec(
      String(text),
    );
  if (match === null) throw greengrassError.validation(`'${String(text)}' is not a component's ARN.`, "arn");
  return { account: match[1] ?? "", name: match[2] ?? "", version: match[3] };
}

/** What a deployment is for. */
export type DeploymentTarget =
  | { readonly kind: "thing"; readonly thingName: string; readonly arn: string }
  | { readonly kind: "thinggroup"; readonly thingGroupName: string; readonly arn: string };

export function parseTargetArn(text: unknown, place: Place): DeploymentTarget {
  const arn = String(text);
  const prefix = `arn:aws:iot:${place.region}:${place.accountId}:`;
  const match = arn.startsWith(prefix)
    ? /^(thing|thinggroup)\/([a-zA-Z0-9:_-]{1,128})$/.exec(arn.slice(prefix.length))
    : null;
  const name = match?.[2] ?? "";
  if (match === null)
    throw greengrassError.validation(
      `'${arn}' is not the ARN of a thing or thing group in ${prefix}: write ${prefix}thinggroup/NAME.`,
      "targetArn",
    );
  return match[1] === "thing"
    ? { kind: "thing", thingName: name, arn }
    : { kind: "thinggroup", thingGroupName: name, arn };
}

/** What a device knows a revision by. */
export function configurationArn(place: Place, target: DeploymentTarget, revision: number): string {
  const name = target.kind === "thing" ? target.thingName : target.thingGroupName;
  return `arn:aws:greengrass:${place.region}:${place.accountId}:configuration:${target.kind}/${name}:${revision}`;
}
