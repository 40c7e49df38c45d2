import { createHash } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ThingName } from "@coalmine/contract";
import { CommissioningMessage, ReportSummary } from "@coalmine/contract/commissioning";
import { CoalmineError } from "@coalmine/runtime";
import type { ClaimCloud } from "../claims/claim-cloud.ts";
import { addHistory, historyOf } from "./history.ts";

/** A device has sent what is no report of its own. */
export class NotAReport extends CoalmineError {
  readonly code = "ERR_COMMISSIONING_RECORD";
}

/** Keeps a device's report and what it says; the same report again changes nothing. `thing` is who has sent it. */
export async function recordCommissioning(
  cloud: ClaimCloud,
  thing: ThingName,
  message: CommissioningMessage,
): Promise<void> {
  const { report, sha256, who } = message;
  if (createHash("sha256").update(report).digest("hex") !== sha256)
    throw new NotAReport(
      `the report of ${thing} has not the hash ${sha256} that came with it; send it again`,
    );
  const { thing: named, ...summary } = ReportSummary.parse(JSON.parse(report));
  if (named !== thing)
    throw new NotAReport(`${thing} has sent the report of ${named}; see who has the certificate of ${thing}`);
  const kept = (await historyOf(cloud, thing)).some(
    (event) => event.kind === "commissioned" && event.sha256 === sha256,
  );
  if (kept) return;
  const key = `commissioning/${thing}/${sha256}.json`;
  await cloud.s3.send(
    new PutObjectCommand({
      Bucket: cloud.bucket,
      Key: key,
      Body: report,
      ContentType: "application/json",
    }),
  );
  await addHistory(cloud, thing, { kind: "commissioned", who, sha256, key, ...summary });
}
