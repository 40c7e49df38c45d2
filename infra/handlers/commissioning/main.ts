/** The functions of commissioning as AWS Lambda runs them. */
import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { openClaimCloud } from "../../../api/claims/claim-cloud.ts";
import { commissioningFunctions, functionNames } from "../../identity/functions.ts";
import { names } from "../../identity/identity.ts";

const Environment = z.object({ AWS_REGION: z.string(), REPORT_BUCKET: z.string() });
const { AWS_REGION, REPORT_BUCKET } = Environment.parse(process.env);
const functions = commissioningFunctions(
  openClaimCloud(
    { region: AWS_REGION },
    {
      clock: systemClock,
      log: jsonLog("commissioning", systemClock, (line) => console.log(line)),
      template: names.provisioningTemplate,
      bucket: REPORT_BUCKET,
    },
  ),
);

export const claims = functions[functionNames.claims];
export const allowList = functions[functionNames.allowList];
export const record = functions[functionNames.record];
export const certificates = functions[functionNames.certificates];
