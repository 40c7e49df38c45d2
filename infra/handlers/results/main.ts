/** What models said: taken from the lake, and told to who asks, as AWS Lambda runs it. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { askFunction, intakeFunction } from "./results.ts";
import { fileShelf, tableShelf } from "./shelf.ts";

const Environment = z.object({
  AWS_REGION: z.string(),
  /** Where results are files in this bucket; otherwise they are in the table. */
  RESULT_BUCKET: z.string().optional(),
});
const { AWS_REGION: region, RESULT_BUCKET } = Environment.parse(process.env);
const s3 = new S3Client({ region });
const shelf =
  RESULT_BUCKET === undefined ? tableShelf(new DynamoDBClient({ region })) : fileShelf(s3, RESULT_BUCKET);

export const intake = intakeFunction(s3, shelf);
export const ask = askFunction(shelf);
