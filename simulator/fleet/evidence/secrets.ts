import * as z from "zod";
import type { DrivenRegion } from "../driven/region.ts";

/** What gives a secret away whoever's it is: access keys, private keys. */
const telling = [
  /\bA[SK]IA[A-Z0-9]{12,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bBearer [A-Za-z0-9_-]{16,}/,
];

const Groups = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const Streams = z.object({
  logStreams: z.array(z.object({ logStreamName: z.string() })),
  nextToken: z.string().nullish(),
});
const Page = z.object({
  events: z.array(z.object({ message: z.string() })),
  nextForwardToken: z.string(),
});

export interface LogFindings {
  readonly lines: number;
  /** Where a secret stands, never the secret. */
  readonly leaks: readonly string[];
}

/** Searches every line that reached CloudWatch Logs for what devices were given in confidence; `read` is shown each. */
export async function logFindings(
  { cloud }: DrivenRegion,
  secrets: ReadonlySet<string>,
  read: (message: string) => void = () => undefined,
): Promise<LogFindings> {
  const { logGroups } = Groups.parse(await cloud.invoke("logs", "DescribeLogGroups", {}));
  const holdsSecret = secretSearch(secrets);
  const leaks: string[] = [];
  let lines = 0;
  for (const { logGroupName } of logGroups)
    for await (const message of messagesOf(cloud, logGroupName)) {
      lines++;
      read(message);
      if (holdsSecret(message)) leaks.push(`line ${lines} of ${logGroupName}`);
    }
  return { lines, leaks };
}

/** Stream by stream: a page of a whole group costs as much as the group. */
async function* messagesOf(cloud: DrivenRegion["cloud"], logGroupName: string): AsyncIterable<string> {
  let nextToken: string | null | undefined;
  do {
    const page = Streams.parse(
      await cloud.invoke("logs", "DescribeLogStreams", { logGroupName, ...continued(nextToken) }),
    );
    for (const { logStreamName } of page.logStreams) yield* streamOf(cloud, { logGroupName, logStreamName });
    ({ nextToken } = page);
  } while (typeof nextToken === "string");
}

async function* streamOf(
  cloud: DrivenRegion["cloud"],
  of: { readonly logGroupName: string; readonly logStreamName: string },
): AsyncIterable<string> {
  let token: string | undefined;
  for (;;) {
    const asked = { ...of, startFromHead: true, ...continued(token) };
    const { events, nextForwardToken } = Page.parse(await cloud.invoke("logs", "GetLogEvents", asked));
    for (const { message } of events) yield message;
    // At its end a stream answers with the token that it was asked with.
    if (nextForwardToken === token || events.length === 0) return;
    token = nextForwardToken;
  }
}

function continued(nextToken: string | null | undefined): { readonly nextToken?: string } {
  return typeof nextToken === "string" ? { nextToken } : {};
}

/** What a cloud gives in confidence is at least so long, and of these characters. */
const RUN_CHARACTERS = 16;
const run = String.raw`[A-Za-z0-9+/_=-]{${RUN_CHARACTERS},}`;
const isRun = new RegExp(`^${run}$`);
const runs = new RegExp(run, "g");

/**
 * Tells whether a line holds a secret. A fleet is given tens of thousands in a day, and says a million lines: so only
 * what in a line could be one is looked up, by how it begins.
 */
export function secretSearch(secrets: Iterable<string>): (line: string) => boolean {
  const byHead = new Map<string, string[]>();
  const others: string[] = [];
  for (const secret of secrets) {
    if (!isRun.test(secret)) {
      others.push(secret);
      continue;
    }
    const head = secret.slice(0, RUN_CHARACTERS);
    byHead.set(head, [...(byHead.get(head) ?? []), secret]);
  }
  const beginsAt = (text: string, at: number): boolean =>
    byHead.get(text.slice(at, at + RUN_CHARACTERS))?.some((secret) => text.startsWith(secret, at)) === true;
  const holdsOne = (text: string): boolean => {
    for (let at = 0; at + RUN_CHARACTERS <= text.length; at++) if (beginsAt(text, at)) return true;
    return false;
  };
  return (line) =>
    telling.some((pattern) => pattern.test(line)) ||
    others.some((secret) => line.includes(secret)) ||
    (line.match(runs) ?? []).some(holdsOne);
}
