import { renderUnicodeCompact } from "uqr";
import type { MintedCode } from "../../api/claims/mint.ts";
import { eventText } from "../../api/devices/event-text.ts";
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
  return [thing, ...now, "History", ...history.map(lineOf)].join("\n");
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

function lineOf(event: KeptEvent): string {
  const detail =
    event.kind === "commissioned"
      ? [
          ...event.ports.map(
            ({ port, passed, sentence }) => `    ${passed ? "ok  " : "FAIL"}  ${port}  ${sentence}`,
          ),
          `    report ${event.key}, SHA-256 ${event.sha256}`,
        ]
      : [];
  return `  ${event.at}  ${[eventText(event), ...detail].join("\n  ")}`;
}
