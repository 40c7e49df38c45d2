import type { Clock, JsonObject } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { parseJson } from "../json.ts";
import type { CloudLink } from "../ports.ts";

/** For the connection, and for each of the two answers. */
const ANSWER_MS = 30_000;

const Created = z.object({
  certificateId: z.string(),
  certificatePem: z.string(),
  certificateOwnershipToken: z.string(),
});
const Provisioned = z.object({
  thingName: z.string(),
  deviceConfiguration: z.record(z.string(), z.string()).nullish(),
});
const Rejected = z.object({
  statusCode: z.number().optional(),
  errorCode: z.string().optional(),
  errorMessage: z.string().optional(),
});

export interface Claim {
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** PEM; the keys are the device's own. */
  readonly certificateSigningRequest: string;
}

export interface ProvisionedIdentity {
  readonly thingName: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

/** AWS IoT did not take the claim. `reason` is its own code, or what did not come. */
export class ProvisioningRefused extends CoalmineError {
  readonly code = "ERR_PROVISIONING_REFUSED";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(`ERR_PROVISIONING_REFUSED: ${message}`);
    this.reason = reason;
  }
}

/** Trades a claim for an identity, over a link that was made with the claim's certificate. The link is stopped after. */
export async function provisionByClaim(
  link: CloudLink,
  claim: Claim,
  clock: Clock,
): Promise<ProvisionedIdentity> {
  const heard = new Map<string, (payload: JsonObject) => void>();
  let connected: () => void = () => undefined;
  let refused: string | undefined;
  const up = new Promise<void>((resolve) => (connected = resolve));
  link.start({
    connected: () => connected(),
    disconnected: (reason) => (refused = reason),
    message: (topic, payload) => {
      const json = parseJson(new TextDecoder().decode(payload));
      if (typeof json === "object" && json !== null && !Array.isArray(json)) heard.get(topic)?.(json);
    },
  });

  async function ask<Shape extends z.ZodType>(
    topic: string,
    request: object,
    shape: Shape,
  ): Promise<z.infer<Shape>> {
    const answer = new Promise<z.infer<Shape>>((resolve, reject) => {
      heard.set(`${topic}/accepted`, (payload) => {
        const read = shape.safeParse(payload);
        if (read.success) resolve(read.data);
        else
          reject(
            new ProvisioningRefused("BadAnswer", `the answer on ${topic} cannot be read; check the endpoint`),
          );
      });
      heard.set(`${topic}/rejected`, (payload) => {
        const { errorCode = "Rejected", errorMessage = "no reason given" } = Rejected.parse(payload);
        reject(
          new ProvisioningRefused(
            errorCode,
            `${errorCode}: ${errorMessage}; check the claim, the template and its parameters`,
          ),
        );
      });
    });
    // It may come before the publish below has its PUBACK, and is looked at after that.
    answer.catch(() => undefined);
    // Both before the request: an answer on a topic that nobody listens to is lost.
    await link.subscribe(`${topic}/accepted`, 1);
    await link.subscribe(`${topic}/rejected`, 1);
    await link.publish(topic, new TextEncoder().encode(JSON.stringify(request)), 1);
    return within(
      clock,
      answer,
      () => new ProvisioningRefused("Timeout", `no answer on ${topic} within ${ANSWER_MS} ms; try again`),
    );
  }

  try {
    await within(
      clock,
      up,
      () =>
        new ProvisioningRefused(
          "Unreachable",
          `AWS IoT is not reached (${refused ?? "no answer"}); check network, clock and claim certificate`,
        ),
    );
    const { certificateSigningRequest, template, parameters } = claim;
    const created = await ask(
      "$aws/certificates/create-from-csr/json",
      { certificateSigningRequest },
      Created,
    );
    const { certificateOwnershipToken, ...certificate } = created;
    const request = { certificateOwnershipToken, parameters };
    const { thingName, deviceConfiguration } = await ask(
      `$aws/provisioning-templates/${template}/provision/json`,
      request,
      Provisioned,
    );
    return { thingName, ...certificate, deviceConfiguration: deviceConfiguration ?? {} };
  } finally {
    await link.stop();
  }
}

function within<Value>(clock: Clock, wanted: Promise<Value>, late: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(ANSWER_MS, () => reject(late()));
    wanted.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (failure: unknown) => {
        timer.cancel();
        reject(failure instanceof Error ? failure : new Error(String(failure)));
      },
    );
  });
}
