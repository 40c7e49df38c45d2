import {
  DeleteCoreDeviceCommand,
  ResourceNotFoundException as NoCoreDevice,
} from "@aws-sdk/client-greengrassv2";
import {
  DeleteThingCommand,
  DescribeThingCommand,
  ListThingGroupsForThingCommand,
  RemoveThingFromThingGroupCommand,
} from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import { HardwareId, Site } from "@coalmine/contract/commissioning";
import * as z from "zod";
import { ApiError } from "../api-error.ts";
import { parseInput } from "../api.ts";
import type { ClaimCloud } from "../claims/claim-cloud.ts";
import { type MintedCode, mintCodes } from "../claims/mint.ts";
import { DecisionInput } from "../decide.ts";
import { addHistory, historyOf } from "./history.ts";
import { certificatesOf, unlessMissing } from "./registry.ts";
import { revokeCertificate } from "./revoke.ts";

const { who, reason } = DecisionInput.shape;
export const RetireInput = z.object({ thing: ThingName, who, reason });
export const RehomeInput = RetireInput.extend({ site: Site });
/** The new machine's hardware id, where it is known already. */
export const SwapInput = RetireInput.extend({ hardwareId: HardwareId.optional() });

/** What is left to hold in hand: what was done, by whom, and the code for what comes next. */
export interface Slip {
  readonly thing: string;
  readonly as: "decommission" | "rehome" | "swap";
  readonly who: string;
  readonly reason: string;
  readonly at: string;
  readonly site: string;
  readonly certificateIds: readonly string[];
  readonly next?: MintedCode;
}

type Retiring = Pick<Slip, "thing" | "as" | "site" | "certificateIds"> & { readonly hardwareId: string };

/** Takes a device out of the fleet for good. @throws ApiError where there is none of that name. */
export async function decommission(cloud: ClaimCloud, input: z.input<typeof RetireInput>): Promise<Slip> {
  const asked = parseInput(RetireInput, input);
  const retiring = await retire(cloud, asked, "decommission");
  return finished(cloud, asked, retiring);
}

/** Takes a device out at its site, and gives the code by which the same machine is commissioned at another one. */
export async function rehome(cloud: ClaimCloud, input: z.input<typeof RehomeInput>): Promise<Slip> {
  const asked = parseInput(RehomeInput, input);
  const retiring = await retire(cloud, asked, "rehome");
  const { hardwareId } = retiring;
  return finished(cloud, asked, retiring, {
    site: asked.site,
    ...(hardwareId === UNKNOWN ? {} : { hardwareId }),
  });
}

/** Takes a broken device out, and gives the code by which another machine takes its name and place. */
export async function swap(cloud: ClaimCloud, input: z.input<typeof SwapInput>): Promise<Slip> {
  const asked = parseInput(SwapInput, input);
  const retiring = await retire(cloud, asked, "swap");
  const { hardwareId } = asked;
  return finished(cloud, asked, retiring, {
    site: retiring.site,
    ...(hardwareId === undefined ? {} : { hardwareId }),
  });
}

const UNKNOWN = "unknown";

/**
 * Revokes and detaches the certificates, which ends the live session, and deletes core device and thing, so that a new
 * one begins afresh. The revoked certificates and the history stay. May be cut at any point and asked for again: what
 * was begun stands in the history first.
 */
async function retire(
  cloud: ClaimCloud,
  { thing, who, reason }: z.infer<typeof RetireInput>,
  as: Slip["as"],
): Promise<Retiring> {
  const retiring = await begin(cloud, thing, who, reason, as);
  const { iot, greengrass } = cloud;
  for (const certificateId of retiring.certificateIds) await revokeCertificate(iot, thing, certificateId);
  const groups = await unlessMissing(iot.send(new ListThingGroupsForThingCommand({ thingName: thing })));
  for (const { groupName: thingGroupName } of groups?.thingGroups ?? [])
    await iot.send(new RemoveThingFromThingGroupCommand({ thingName: thing, thingGroupName }));
  await greengrass
    .send(new DeleteCoreDeviceCommand({ coreDeviceThingName: thing }))
    .catch((failure: unknown) => {
      // A device that has never connected is no core device yet.
      if (!(failure instanceof NoCoreDevice)) throw failure;
    });
  await unlessMissing(iot.send(new DeleteThingCommand({ thingName: thing })));
  return retiring;
}

async function begin(
  cloud: ClaimCloud,
  thing: ThingName,
  who: string,
  reason: string,
  as: Slip["as"],
): Promise<Retiring> {
  const found = await unlessMissing(cloud.iot.send(new DescribeThingCommand({ thingName: thing })));
  const last = (await historyOf(cloud, thing)).findLast(({ kind }) => kind !== "replayed");
  if (last?.kind === "retiring") {
    const certificateIds = [...new Set([...last.certificateIds, ...(await certificatesOf(cloud, thing))])];
    return { thing, as, site: last.site, hardwareId: last.hardwareId, certificateIds };
  }
  if (found === undefined)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      last === undefined
        ? `nobody knows a device ${thing}; compare its name with its label`
        : `${thing} is out of the fleet since ${last.at}; \`coalmine device show ${thing}\` tells its history`,
    );
  const { site = UNKNOWN, hardwareId = UNKNOWN } = found.attributes ?? {};
  const certificateIds = await certificatesOf(cloud, thing);
  await addHistory(cloud, thing, { kind: "retiring", who, reason, as, site, hardwareId, certificateIds });
  return { thing, as, site, hardwareId, certificateIds };
}

async function finished(
  cloud: ClaimCloud,
  { thing, who, reason }: z.infer<typeof RetireInput>,
  { as, site, certificateIds }: Retiring,
  again?: { readonly site: string; readonly hardwareId?: string },
): Promise<Slip> {
  const [next] = again === undefined ? [] : await mintCodes(cloud, { ...again, serial: thing, who });
  const nextCode = next === undefined ? {} : { nextCode: next.id };
  const at = await addHistory(cloud, thing, { kind: "retired", who, reason, as, ...nextCode });
  return { thing, as, who, reason, at, site, certificateIds, ...(next === undefined ? {} : { next }) };
}
