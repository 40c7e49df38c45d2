import type { Place } from "../service.ts";

export type IotResource =
  | "cert"
  | "client"
  | "job"
  | "jobtemplate"
  | "policy"
  | "provisioningtemplate"
  | "rolealias"
  | "rule"
  | "thing"
  | "thinggroup"
  | "thingtype"
  | "topic"
  | "topicfilter";

export function iotArn(place: Place, kind: IotResource, name: string): string {
  return `arn:aws:iot:${place.region}:${place.accountId}:${kind}/${name}`;
}

/** The name in an ARN of that kind, whatever its region; undefined where it is no such ARN. */
export function nameInArn(arn: string, kind: IotResource): string | undefined {
  return new RegExp(`^arn:aws:iot:[^:]*:[^:]*:${kind}/(.+)$`, "s").exec(arn)?.[1];
}
