import { AcknowledgeBody, type Alarm } from "@coalmine/contract/operator-api";
import { parseInput } from "../api.ts";
import { Acknowledgement, type AlarmsParts, findAlarm, noteOf } from "./list-alarms.ts";

/** Somebody takes an alarm on: the first who does stays, and whoever comes later is told who that was. */
export async function acknowledge(
  parts: AlarmsParts,
  { alarm, who, body }: { readonly alarm: string; readonly who: string; readonly body: unknown },
): Promise<Alarm> {
  const { reason } = parseInput(AcknowledgeBody, body);
  const found = await findAlarm(parts, alarm);
  const note = JSON.stringify({ who, atMs: Math.round(parts.clock.now()), reason });
  const kept = await parts.api.log.note(noteOf(alarm), note);
  return { ...found, acknowledged: Acknowledgement.parse(JSON.parse(kept)) };
}
