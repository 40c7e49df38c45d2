import type { Alarms } from "@coalmine/contract/operator-api";
import { age, MINUTE_MS, NOW_MS, ROLLOUT } from "./console-rollout.ts";

/** One that waits for somebody, and one that somebody looks after. */
export const alarmList: Alarms["alarms"] = [
  {
    alarm: "stuck-1",
    source: "stuck",
    kind: "stuckRollout",
    fleet: "home",
    sinceMs: NOW_MS - 14 * MINUTE_MS,
    seen: age(4000),
    sentence: `rheo-0003 is stuck in the download of artifacts of ${ROLLOUT} for 14 min.`,
    next: "Look at its link; it goes on by itself until the deadline.",
    link: `/rollouts/${ROLLOUT}`,
  },
  {
    alarm: "claim-1",
    source: "claim",
    kind: "claimRefused",
    sinceMs: NOW_MS - 300 * MINUTE_MS,
    seen: age(300 * MINUTE_MS),
    sentence: "The claim code of RH4-00198 was shown a second time, from another device.",
    next: "Ask the site who has it.",
    link: "/devices/rheo-0002",
    acknowledged: {
      who: "bo",
      atMs: NOW_MS - 200 * MINUTE_MS,
      reason: "The site knows: the board was swapped",
    },
  },
];
