/** Rows of evidence, as AWS Lambda makes them. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { FirehoseClient } from "@aws-sdk/client-firehose";
import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { EvidenceLake } from "../../../pipeline/evidence/evidence-lake.ts";
import { EvidenceStore } from "../../../pipeline/evidence/evidence-store.ts";
import { evidenceFunction, intoBoth } from "./evidence.ts";

const Environment = z.object({ AWS_REGION: z.string(), COALMINE_TARGET: z.string() });
const { AWS_REGION, COALMINE_TARGET } = Environment.parse(process.env);
const store = new EvidenceStore(new DynamoDBClient({ region: AWS_REGION }), COALMINE_TARGET);
const lake = new EvidenceLake(new FirehoseClient({ region: AWS_REGION }), COALMINE_TARGET);
const say = (line: string): void => console.log(line);

export const evidence = evidenceFunction({
  put: intoBoth(store, lake),
  log: jsonLog("evidence", systemClock, say),
  metricLine: say,
});
