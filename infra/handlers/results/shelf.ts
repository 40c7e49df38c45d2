import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  paginateQuery,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { ThingName } from "@coalmine/contract";
import * as z from "zod";
import { order, Result, ResultsError, shelfKey } from "./result.ts";

export const RESULTS_TABLE = "coalmine-results";

/** The latest result of each instrument and channel. One that is older than what is there is passed over. */
export interface Shelf {
  put(results: readonly Result[]): Promise<void>;
  of(thing: ThingName): Promise<Result[]>;
}

export function tableShelf(dynamodb: DynamoDBClient): Shelf {
  return {
    put: async (results) => {
      for (const result of results)
        try {
          await dynamodb.send(
            new PutItemCommand({
              TableName: RESULTS_TABLE,
              Item: {
                thing: { S: result.thing },
                what: { S: shelfKey(result) },
                order: { S: order(result) },
                result: { S: JSON.stringify(result) },
              },
              ConditionExpression: "attribute_not_exists(#order) OR #order < :order",
              ExpressionAttributeNames: { "#order": "order" },
              ExpressionAttributeValues: { ":order": { S: order(result) } },
            }),
          );
        } catch (failure) {
          // A newer one is there: objects come in any order, and again.
          if (!(failure instanceof ConditionalCheckFailedException)) throw failure;
        }
    },
    of: async (thing) => {
      const found: Result[] = [];
      const pages = paginateQuery(
        { client: dynamodb },
        {
          TableName: RESULTS_TABLE,
          KeyConditionExpression: "thing = :thing",
          ExpressionAttributeValues: { ":thing": { S: thing } },
        },
      );
      for await (const { Items = [] } of pages)
        for (const { result } of Items) found.push(Result.parse(JSON.parse(result?.S ?? "{}")));
      return found;
    },
  };
}

/** Others may have written meanwhile; then it is done again, so often. */
const TRIES_MAX = 10;

/** One file a thing in the lake's bucket, `results/<thing>.json`: for whoever reads S3 and pays for nothing else. */
export function fileShelf(s3: S3Client, Bucket: string): Shelf {
  const keyOf = (thing: ThingName): string => `results/${thing}.json`;
  const read = async (thing: ThingName): Promise<{ results: Result[]; etag?: string | undefined }> => {
    try {
      const { Body, ETag: etag } = await s3.send(new GetObjectCommand({ Bucket, Key: keyOf(thing) }));
      return { results: z.array(Result).parse(JSON.parse((await Body?.transformToString()) ?? "")), etag };
    } catch (failure) {
      if (failure instanceof NoSuchKey) return { results: [] };
      throw failure;
    }
  };
  const merge = async (thing: ThingName, results: readonly Result[]): Promise<boolean> => {
    const { results: known, etag } = await read(thing);
    const latest = new Map(known.map((result) => [shelfKey(result), result]));
    for (const result of results) {
      const there = latest.get(shelfKey(result));
      if (there === undefined || order(there) < order(result)) latest.set(shelfKey(result), result);
    }
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: keyOf(thing),
          Body: JSON.stringify([...latest.values()]),
          ContentType: "application/json",
          ...(etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag }),
        }),
      );
      return true;
    } catch (failure) {
      if (failure instanceof S3ServiceException && [409, 412].includes(failure.$metadata.httpStatusCode ?? 0))
        return false;
      throw failure;
    }
  };
  return {
    put: async (results) => {
      for (const thing of new Set(results.map((result) => result.thing))) {
        let tries = 1;
        while (
          !(await merge(
            thing,
            results.filter((result) => result.thing === thing),
          ))
        )
          if (++tries > TRIES_MAX)
            throw new ResultsError(
              `${keyOf(thing)} was changed by others ${TRIES_MAX} times while results were added to it; the object is read again with the next attempt`,
            );
      }
    },
    of: async (thing) => (await read(thing)).results,
  };
}
