import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { IotConnection } from "./iot-connection.ts";
import { CommissioningRefused } from "./refusal.ts";
import { parsedJson } from "./parsed-json.ts";

const ANSWER_MS = 30_000;

const Created = z.object({
  certificateId: z.string(),
  certificatePem: z.string(),
  certificateOwnershipToken: z.string(),
});
const Provisioned = z.object({ thingName: z.string() });
const Rejected = z.object({
  statusCode: z.number().optional(),
  errorCode: z.string().default("?"),
  errorMessage: z.string().default("no reason given"),
});

export type CreatedCertificate = z.infer<typeof Created>;

/** AWS IoT answered on a `rejected` topic; `errorCode` is its own. */
export class ExchangeRejected extends Error {
  override readonly name = "ExchangeRejected";
  readonly errorCode: string;
  constructor(errorCode: string, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

/** Has a certificate signed for the device's own key. It counts for nothing until `registerThing`. */
export function createFromCsr(
  connection: IotConnection,
  certificateSigningRequest: string,
  clock: Clock,
): Promise<CreatedCertificate> {
  return ask(
    connection,
    "$aws/certificates/create-from-csr/json",
    { certificateSigningRequest },
    Created,
    clock,
  );
}

/** Has the template make the thing, and the certificate its own. The token is used up whatever comes of it. */
export async function registerThing(
  connection: IotConnection,
  request: {
    readonly template: string;
    readonly token: string;
    readonly parameters: Readonly<Record<string, string>>;
  },
  clock: Clock,
): Promise<string> {
  const { template, token, parameters } = request;
  const topic = `$aws/provisioning-templates/${template}/provision/json`;
  const answer = await ask(
    connection,
    topic,
    { certificateOwnershipToken: token, parameters },
    Provisioned,
    clock,
  );
  return answer.thingName;
}

/** @see https://docs.aws.amazon.com/iot/latest/developerguide/fleet-provision-api.html */
async function ask<Shape extends z.ZodType>(
  connection: IotConnection,
  topic: string,
  request: object,
  shape: Shape,
  clock: Clock,
): Promise<z.infer<Shape>> {
  let accept: (payload: string) => void = () => undefined;
  let reject: (payload: string) => void = () => undefined;
  const answer = new Promise<{ accepted: boolean; payload: string }>((resolve) => {
    accept = (payload) => resolve({ accepted: true, payload });
    reject = (payload) => resolve({ accepted: false, payload });
  });
  // Both before the request: an answer on a topic that nobody listens to is lost.
  await connection.subscribe(`${topic}/accepted`, accept);
  await connection.subscribe(`${topic}/rejected`, reject);
  await connection.publish(topic, JSON.stringify(request));
  const patience = new AbortController();
  const late = clock.sleep(ANSWER_MS, patience.signal).then(
    () => undefined,
    () => undefined,
  );
  const heard = await Promise.race([answer, late]);
  patience.abort();
  if (heard === undefined)
    throw new CommissioningRefused(
      "unreachable",
      `AWS IoT gave no answer on ${topic} within ${ANSWER_MS / 1000} s; run this again`,
    );
  const json = parsedJson(heard.payload);
  if (!heard.accepted) {
    const { errorCode, errorMessage } = Rejected.catch({
      errorCode: "?",
      errorMessage: "no reason given",
    }).parse(json);
    throw new ExchangeRejected(errorCode, `${errorCode}: ${errorMessage}`);
  }
  const read = shape.safeParse(json);
  if (read.success) return read.data;
  throw new CommissioningRefused(
    "unreachable",
    `the answer on ${topic} cannot be read; check that the endpoint is AWS IoT's`,
  );
}
