import { ThingName } from "@coalmine/contract";
import {
  CertificateMessage,
  claimPaths,
  CommissioningMessage,
  ExchangeRequest,
  OrderRequest,
} from "@coalmine/contract/commissioning";
import * as z from "zod";
import { AllowRequest, isAllowed } from "../../api/claims/allow-list.ts";
import type { ClaimCloud } from "../../api/claims/claim-cloud.ts";
import { CodeRefused, exchangeCode, whyRefused } from "../../api/claims/exchange.ts";
import { orderFor } from "../../api/devices/order.ts";
import { recordCommissioning } from "../../api/devices/record.ts";
import { rotateCertificate } from "../../api/devices/rotate.ts";
import { answer, HttpEvent } from "../handlers/http-event.ts";
import { names } from "./identity.ts";

/** Functions of AWS Lambda by which devices are commissioned; the local cloud is handed the same. */
export const functionNames = {
  /** Behind the HTTP API: codes for claims, and why a device was refused. */
  claims: "coalmine-claims",
  /** The provisioning template's hook. */
  allowList: "coalmine-allow-list",
  /** What a topic rule hands reports to. */
  record: "coalmine-commissioning-record",
  /** What a topic rule hands requests for certificates to. */
  certificates: "coalmine-certificates",
} as const;

/** By the rule: the device's message, and the device by its topic. */
const RecordEvent = CommissioningMessage.extend({ thing: ThingName });

/** By the rule: who asks is said by topic and connection. */
const Asker = z.object({ thing: ThingName, principal: z.string().regex(/^[0-9a-f]{64}$/) });

/** Of a request to the exchange. */
const CHARACTERS_MAX = 4096;
const statusOf = { malformed: 400, wrong: 404, expired: 410, used: 409, "too-many": 429 } as const;

export function commissioningFunctions(
  cloud: ClaimCloud,
): Record<(typeof functionNames)[keyof typeof functionNames], (event: unknown) => Promise<unknown>> {
  return {
    [functionNames.claims]: (event) => serveClaims(cloud, event),
    [functionNames.allowList]: async (event) => ({
      allowProvisioning: await isAllowed(cloud, AllowRequest.parse(event)),
    }),
    [functionNames.record]: async (event) => {
      const { thing, ...message } = RecordEvent.parse(event);
      await recordCommissioning(cloud, thing, message);
    },
    [functionNames.certificates]: async (event) => {
      const { thing, principal } = Asker.parse(event);
      await rotateCertificate(cloud, names.devicePolicy, thing, principal, CertificateMessage.parse(event));
    },
  };
}

async function serveClaims(cloud: ClaimCloud, event: unknown): Promise<object> {
  const read = HttpEvent.safeParse(event);
  if (!read.success || read.data.body.length > CHARACTERS_MAX)
    return answer(413, { message: "the request is too large" });
  const { rawPath, requestContext, body, isBase64Encoded } = read.data;
  const { method, sourceIp } = requestContext.http;
  const serve = { [claimPaths.exchange]: exchangeCode, [claimPaths.why]: whyRefused }[rawPath];
  const isOrder = rawPath === claimPaths.order;
  if (method !== "POST" || (serve === undefined && !isOrder))
    return answer(404, { message: `there is no ${method} ${rawPath}` });
  const asked = parsed(isBase64Encoded ? Buffer.from(body, "base64").toString() : body);
  if (serve === undefined) {
    const question = OrderRequest.safeParse(asked);
    return question.success
      ? answer(200, await orderFor(cloud, question.data))
      : answer(400, { message: "a thing, its certificate and a signature are needed" });
  }
  const request = ExchangeRequest.safeParse(asked);
  if (!request.success)
    return answer(400, { reason: "malformed", message: "a code and the fingerprint of a key are needed" });
  try {
    return answer(200, await serve(cloud, request.data, sourceIp));
  } catch (failure) {
    if (failure instanceof CodeRefused) return answer(statusOf[failure.refusal.reason], failure.refusal);
    throw failure;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
