import { connect } from "node:net";
import { DescribeEndpointCommand, ListTopicRulesCommand } from "@aws-sdk/client-iot";
import { GetAWSDefaultServiceQuotaCommand, GetServiceQuotaCommand } from "@aws-sdk/client-service-quotas";
import { messageOf } from "@coalmine/runtime";
import { type Account, callerOf, unlessNone } from "../account.ts";
import { bad, type Check, fine, type Found, unseen } from "../check.ts";

/** SigV4 is refused beyond it. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const SKEW_MS_MAX = 5 * 60_000;
const CONNECT_MS_MAX = 10_000;
/** Topic rules that the stacks make. */
const RULES_OF_OURS = 6;

/** What has to hold before anything is brought up in an account. */
export const accountChecks: readonly Check<Account>[] = [
  {
    name: "credentials",
    why: "every call is made by them; expired ones fail in the middle of a deployment, and the root user's cannot be limited",
    look: async (account): Promise<Found> => {
      try {
        const { arn, accountId } = await callerOf(account);
        return arn.endsWith(":root")
          ? bad(`${arn} is the root user of ${accountId}`, "make a role for this, and use that")
          : fine(`${arn} of account ${accountId}`);
      } catch (failure) {
        return refused(failure);
      }
    },
  },
  {
    name: "clock of this machine",
    why: "AWS refuses signatures whose date is minutes off, with a sentence about the signature instead of the clock",
    look: async ({ target, clock }): Promise<Found> => {
      const url = target.endpoint ?? `https://sts.${target.region}.amazonaws.com/`;
      const answer = await fetch(url, { method: "GET", redirect: "manual" });
      await answer.body?.cancel();
      const told = Date.parse(answer.headers.get("date") ?? "");
      if (Number.isNaN(told))
        return unseen(`${url} says no date`, "compare the clock with a time server by hand");
      const aheadMs = clock.now() - told;
      const seconds = Math.round(Math.abs(aheadMs) / 1000);
      return Math.abs(aheadMs) > SKEW_MS_MAX
        ? bad(
            `this clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} ${url}`,
            "let it follow a time server, such as chrony",
          )
        : fine(`within ${Math.max(1, seconds)} s of ${url}`);
    },
  },
  {
    name: "quota: topic rules",
    why: "a stack that meets a quota is rolled back half-way, and the message names the resource instead of the quota",
    look: async ({ iot, quotas }): Promise<Found> => {
      const asked = { ServiceCode: "iotcore", QuotaCode: "L-954FA751" };
      const own = await unlessNone(quotas.send(new GetServiceQuotaCommand(asked)));
      const { Quota } = own ?? (await quotas.send(new GetAWSDefaultServiceQuotaCommand(asked)));
      const max = Quota?.Value ?? 0;
      let used = 0;
      let nextToken: string | undefined;
      do {
        const page = await iot.send(new ListTopicRulesCommand({ nextToken }));
        used += page.rules?.length ?? 0;
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      const told = `${used} of ${max} topic rules are used, and the stacks make ${RULES_OF_OURS}`;
      return used + RULES_OF_OURS > max
        ? bad(told, "remove rules that nobody needs, or ask for more in Service Quotas (iotcore L-954FA751)")
        : fine(told);
    },
  },
  {
    name: "quota: subscriptions of a connection",
    why: "a device's further subscriptions are refused in its log alone: what should wake a component never comes",
    look: async ({ quotas }): Promise<Found> => {
      const asked = { ServiceCode: "iotcore", QuotaCode: "L-45957C13" };
      const { Quota } =
        (await unlessNone(quotas.send(new GetServiceQuotaCommand(asked)))) ??
        (await quotas.send(new GetAWSDefaultServiceQuotaCommand(asked)));
      const max = Quota?.Value ?? 0;
      return max < 50
        ? bad(
            `${max} subscriptions are allowed a connection, and a nucleus counts on 50`,
            "ask for 50 in Service Quotas (iotcore L-45957C13)",
          )
        : fine(`${max} subscriptions are allowed a connection; a nucleus opens another one beyond 50`);
    },
  },
  {
    name: "endpoint for data",
    why: "a nucleus with an endpoint of another region, or of the old certificate authority, only says that TLS failed",
    look: (account) => door(account, "iot:Data-ATS", account.isLocal ? [0] : [8883, 443]),
  },
  {
    name: "endpoint for credentials",
    why: "without it no component gets AWS credentials: uploads stop, and the token exchange service keeps the error for minutes",
    look: (account) => door(account, "iot:CredentialProvider", account.isLocal ? [0] : [443]),
  },
  {
    name: "endpoint of the data plane",
    why: "deployments that cannot ask it stay IN_PROGRESS and are tried again each minute, without a word to the cloud",
    look: async ({ target, isLocal }): Promise<Found> =>
      isLocal
        ? fine(
            "on this machine the data plane has a port of its own, which devices are told when they are commissioned",
          )
        : reached(`greengrass-ats.iot.${target.region}.amazonaws.com`, [8443, 443]),
  },
];

function refused(failure: unknown): Found {
  const name = failure instanceof Error ? failure.name : "";
  const sentence = `${name}: ${messageOf(failure)}`;
  if (name.startsWith("CredentialsProvider"))
    return bad(
      sentence,
      "sign in: `aws sso login`, or AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      "permission",
    );
  if (name.startsWith("ExpiredToken"))
    return bad(sentence, "sign in again: the session is over", "permission");
  if (/InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId/.test(name))
    return bad(
      sentence,
      "these keys are of another account or place; local clouds' keys open nothing at AWS",
      "permission",
    );
  if (/SignatureDoesNotMatch|RequestTimeTooSkewed|InvalidSignature/.test(name))
    return bad(sentence, "compare the secret key, and the clock of this machine", "permission");
  throw failure;
}

async function door(
  { iot, target, isLocal }: Account,
  endpointType: string,
  ports: readonly number[],
): Promise<Found> {
  const { endpointAddress = "" } = await iot.send(new DescribeEndpointCommand({ endpointType }));
  const [host = "", port] = endpointAddress.split(":");
  if (!isLocal && !host.includes(`.${target.region}.`))
    return bad(`${host} is not in ${target.region}`, "set AWS_REGION to the region of the fleet");
  if (!isLocal && endpointType === "iot:Data-ATS" && !host.includes("-ats."))
    return bad(
      `${host} is signed by the old authority`,
      "use the endpoint of type iot:Data-ATS in every nucleus",
    );
  return reached(host, port === undefined ? ports : [Number(port)]);
}

/** Whether anybody listens there; a device shows its certificate as well, which `coalmine doctor --root` tries. */
async function reached(host: string, ports: readonly number[]): Promise<Found> {
  const told = await Promise.all(ports.map(async (port) => ({ port, why: await closedBecause(host, port) })));
  const open = told.filter(({ why }) => why === undefined).map(({ port }) => port);
  const closed = told.filter(({ why }) => why !== undefined);
  if (open.length === 0)
    return bad(
      `${host} cannot be reached: ${closed.map(({ port, why }) => `port ${port}: ${why}`).join(", ")}`,
      `open ${ports.join(" or ")} to ${host} for devices too, without TLS inspection: they show certificates`,
      "unreachable",
    );
  return fine(
    `${host} answers at ${open.join(" and ")}${closed.length === 0 ? "" : `, and not at ${closed.map(({ port }) => port).join(", ")} from here`}`,
  );
}

function closedBecause(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS_MAX });
    const end = (why?: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end("no answer"));
    socket.once("error", (failure) => end(messageOf(failure)));
  });
}
