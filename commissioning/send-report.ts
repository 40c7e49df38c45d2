import { Sha256 } from "@coalmine/contract";
import { type CommissioningMessage, commissioningTopic } from "@coalmine/contract/commissioning";
import { deviceIdentity, type IdentityParts } from "./identity.ts";
import { readIfThere } from "./durable-files.ts";
import type { Report } from "./report/report.ts";

/** Gives the operator's side the report, as the device itself; once it was taken, never again. */
export async function sendReport(
  parts: Pick<IdentityParts, "iot" | "journal" | "options" | "places" | "clock">,
  done: { readonly report: Report; readonly sha256: string },
): Promise<void> {
  const { iot, journal, options, places, clock } = parts;
  if (journal.entries.sent !== undefined) return;
  const message: CommissioningMessage = {
    // Its very bytes: the hash is of them.
    report: (await readIfThere(places.reportJson)) ?? "",
    sha256: Sha256.parse(done.sha256),
    who: options.technician,
  };
  const connection = await iot.connect(await deviceIdentity(parts));
  try {
    await connection.publish(commissioningTopic(done.report.thing), JSON.stringify(message));
  } finally {
    await connection.close();
  }
  await journal.done({ sent: { at: clock.now() } });
}
