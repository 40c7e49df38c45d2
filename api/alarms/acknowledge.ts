import { AcknowledgeBody, type Alarm } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import { ApiError } from "../api-error.ts";
import { type Api, parseInput } from "../api.ts";
import type { OperatorRegion } from "../operator-region.ts";
import { Acknowledgement, listAlarms, noteOf } from "./list-alarms.ts";

/** Somebody takes an alarm on: the first who does stays, and whoever comes later is told who that was. */
export async function acknowledge(
  api: Api,
  regions: readonly OperatorRegion[],
  { alarm, who, body }: { readonly alarm: string; readonly who: string; readonly body: unknown },
  clock: Pick<Clock, "now">,
): Promise<Alarm> {
  const { reason } = parseInput(AcknowledgeBody, body);
  const { alarms } = await listAlarms(api, regions);
  const found = alarms.find((one) => one.alarm === alarm);
  if (found === undefined)
    throw new ApiError("ERR_API_NOT_FOUND", "there is no such alarm any more; look at the alarms again");
  const note = JSON.stringify({ who, atMs: Math.round(clock.now()), reason });
  const kept = await api.log.note(noteOf(alarm), note);
  return { ...found, acknowledged: Acknowledgement.parse(JSON.parse(kept)) };
}
