import { renderUnicodeCompact } from "uqr";
import type { MintedCode } from "../../api/claims/mint.ts";
import type { KeptEvent } from "../../api/devices/history.ts";
import type { Slip } from "../../api/devices/retire.ts";
import type { ShownDevice } from "../../api/devices/show-device.ts";

/** A code to type and to scan, and what it is for. */
export function codeText({ code, site, serial, hardwareId, expiresAt }: MintedCode): string {
  const whom = [serial ?? "any serial number", hardwareId === undefined ? "any hardware" : hardwareId];
  return [
    renderUnicodeCompact(code),
    `${code}   for ${whom.join(", ")} at ${site}, once, until ${expiresAt}`,
    "",
  ].join("\n");
}

export function deviceText({ thing, registered, history }: ShownDevice): string {
  const now =
    registered === undefined
      ? ["  out of the fleet"]
      : [
          ...Object.entries(registered.attributes).map(([name, value]) => `  ${name}  ${value}`),
          `  groups  ${registered.groups.join(", ") || "none"}`,
          ...registered.certificates.map(({ id, status }) => `  certificate  ${status}  ${id}`),
        ];
  return [thing, ...now, "History", ...history.map(eventText)].join("\n");
}

/** For whoever holds the device in hand. */
export function slipText({ thing, as, who, reason, at, site, certificateIds, next }: Slip): string {
  return [
    `${as.toUpperCase()}  ${thing}`,
    `  When         ${at}`,
    `  Who          ${who}`,
    `  Why          ${reason}`,
    `  Site         ${site}`,
    ...certificateIds.map((id) => `  Revoked      ${id}`),
    "  On the device, remove its root folder: the key in it opens nothing any more.",
    ...(next === undefined ? [] : ["  It comes back with the code", codeText(next)]),
  ].join("\n");
}

function eventText(event: KeptEvent): string {
  return `  ${event.at}  ${told(event)}`;
}

/** Without its time. */
function told(event: KeptEvent): string {
  switch (event.kind) {
    case "allowed":
      return `let in with the code ${event.code}-… at ${event.site}, hardware ${event.hardwareId}`;
    case "replayed":
      return `REPLAYED: the code ${event.code}-… was shown again: ${event.why}`;
    case "commissioned":
      return [
        `${event.passed ? "commissioned" : "NOT PASSED"} at ${event.site} by ${event.who}`,
        ...event.ports.map(
          ({ port, passed, sentence }) => `    ${passed ? "ok  " : "FAIL"}  ${port}  ${sentence}`,
        ),
        `    report ${event.key}, SHA-256 ${event.sha256}`,
      ].join("\n  ");
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
