import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { ThingName } from "@coalmine/contract";
import * as z from "zod";
import { answer, HttpEvent } from "../http-event.ts";
import { personOf } from "../person.ts";
import { resultsIn } from "./result.ts";
import type { Shelf } from "./shelf.ts";

export const resultFunctions = { intake: "coalmine-results-intake", ask: "coalmine-results" } as const;

/** People ask by the first, a device for its own by the second. */
export const resultRoutes = { people: "/results/{thing}", devices: "/devices/{thing}/results" } as const;

/** Of EventBridge's event of a new object. */
const ObjectCreated = z.object({
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});

/** Puts what models said in a new object of the lake on the shelf. The same object again changes nothing. */
export function intakeFunction(s3: S3Client, shelf: Shelf): (event: unknown) => Promise<{ results: number }> {
  return async (event) => {
    const { bucket, object } = ObjectCreated.parse(event).detail;
    if (!object.key.endsWith(".parquet")) return { results: 0 };
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket.name, Key: object.key }));
    const results = await resultsIn((await Body?.transformToByteArray()) ?? new Uint8Array());
    await shelf.put(results);
    return { results: results.length };
  };
}

/**
 * Answers who asks for the latest results of a device. API Gateway has let in people with a token, and devices by the
 * policy of their role, which names the device's own path alone.
 */
export function askFunction(shelf: Shelf): (event: unknown) => Promise<object> {
  return async (event) => {
    const asked = HttpEvent.parse(event);
    const [, first = "", second = "", third = ""] = asked.rawPath.split("/");
    const isPerson = first === "results";
    if (
      asked.requestContext.http.method !== "GET" ||
      !(isPerson || (first === "devices" && third === "results"))
    )
      return answer(404, { message: `there is no ${asked.requestContext.http.method} ${asked.rawPath}` });
    if (isPerson && personOf(asked) === undefined)
      return answer(403, { message: "whoever asks is in no group of this console: ask an admin" });
    const thing = ThingName.safeParse(decodeURIComponent(second));
    if (!thing.success) return answer(400, { message: `${second} is no device's name` });
    const results = await shelf.of(thing.data);
    if (results.length === 0)
      return answer(404, { message: `no model has said anything of ${thing.data} yet; is it online?` });
    return answer(200, { thing: thing.data, results });
  };
}
