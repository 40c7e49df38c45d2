import { DescribeThingCommand, ListThingGroupsForThingCommand } from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import * as z from "zod";
import { ApiError } from "../api-error.ts";
import { parseInput } from "../api.ts";
import type { ClaimCloud } from "../claims/claim-cloud.ts";
import { historyOf, type KeptEvent } from "./history.ts";
import { certificatesOf, statusOf, unlessMissing } from "./registry.ts";

export interface ShownDevice {
  readonly thing: string;
  /** Of the registry; undefined where the device is out of the fleet. */
  readonly registered:
    | {
        readonly attributes: Readonly<Record<string, string>>;
        readonly groups: readonly string[];
        readonly certificates: readonly { readonly id: string; readonly status: string }[];
      }
    | undefined;
  /** Oldest first. */
  readonly history: readonly KeptEvent[];
}

/** A device as the registry has it, and all that happened to it. @throws ApiError where nobody knows it. */
export async function showDevice(cloud: ClaimCloud, input: { readonly thing: string }): Promise<ShownDevice> {
  const { thing } = parseInput(z.object({ thing: ThingName }), input);
  const registered = await registeredOf(cloud, thing);
  const history = await historyOf(cloud, thing);
  if (registered === undefined && history.length === 0)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `nobody knows a device ${thing}; compare its name with its label`,
    );
  return { thing, registered, history };
}

/** Undefined where there is no such thing. */
export async function registeredOf(
  cloud: Pick<ClaimCloud, "iot">,
  thing: ThingName,
): Promise<ShownDevice["registered"]> {
  const found = await unlessMissing(cloud.iot.send(new DescribeThingCommand({ thingName: thing })));
  if (found === undefined) return undefined;
  const { thingGroups = [] } = await cloud.iot.send(new ListThingGroupsForThingCommand({ thingName: thing }));
  const certificates: { id: string; status: string }[] = [];
  for (const id of await certificatesOf(cloud, thing))
    certificates.push({ id, status: (await statusOf(cloud, id)) ?? "GONE" });
  const groups = thingGroups.map(({ groupName = "" }) => groupName);
  return { attributes: found.attributes ?? {}, groups, certificates };
}
