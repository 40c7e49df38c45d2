import { type Alarm, SilenceBody } from "@coalmine/contract/operator-api";
import { parseInput } from "../api.ts";
import { type AlarmsParts, findAlarm } from "./list-alarms.ts";
import { keepSilence, newestSilence, shownSilence } from "./silences.ts";

/** Nobody is called for an alarm's source until then, however often it comes; what was said last counts. */
export async function silence(
  parts: AlarmsParts,
  { alarm, who, body }: { readonly alarm: string; readonly who: string; readonly body: unknown },
): Promise<Alarm> {
  const { api, clock } = parts;
  const { reason, key, forMs } = parseInput(SilenceBody, body);
  const found = await findAlarm(parts, alarm);
  const before = await newestSilence(api, found.source);
  // The same action, sent again.
  if (before?.key === key) return { ...found, silenced: shownSilence(before) };
  const atMs = Math.round(clock.now());
  const kept = await keepSilence(api, found.source, { who, atMs, reason, untilMs: atMs + forMs, key });
  return { ...found, silenced: shownSilence(kept) };
}
