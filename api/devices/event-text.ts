import type { KeptEvent } from "./history.ts";

/** What happened to a device, in a line without its time. */
export function eventText(event: KeptEvent): string {
  switch (event.kind) {
    case "allowed":
      return `let in with the code ${event.code}-… at ${event.site}, hardware ${event.hardwareId}`;
    case "replayed":
      return `REPLAYED: the code ${event.code}-… was shown again: ${event.why}`;
    case "commissioned":
      return `${event.passed ? "commissioned" : "NOT PASSED"} at ${event.site} by ${event.who}`;
    case "rotated":
      return `has the certificate ${event.certificateId}; revoked ${event.revoked.join(", ")}`;
    case "retiring":
      return `${event.as} begun by ${event.who}: ${event.reason}`;
    case "retired":
      break;
  }
  const { as, who, nextCode } = event;
  return `${as} done by ${who}${nextCode === undefined ? "" : `; comes back with the code ${nextCode}-…`}`;
}
