import * as z from "zod";
import type { DrivenRegion } from "../driven/region.ts";

/** What gives a secret away whoever's it is: access keys, private keys. */
const telling = [
  /\bA[SK]IA[A-Z0-9]{12,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bBearer [A-Za-z0-9_-]{16,}/,
];

const Groups = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const Page = z.object({
  events: z.array(z.object({ message: z.string() })),
  nextToken: z.string().nullish(),
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
  const leaks: string[] = [];
  let lines = 0;
  for (const { logGroupName } of logGroups) {
    let nextToken: string | null | undefined;
    do {
      const page = Page.parse(
        await cloud.invoke("logs", "FilterLogEvents", {
          logGroupName,
          ...(typeof nextToken === "string" ? { nextToken } : {}),
        }),
      );
      for (const { message } of page.events) {
        lines++;
        read(message);
        if (holdsSecret(message, secrets)) leaks.push(`line ${lines} of ${logGroupName}`);
      }
      ({ nextToken } = page);
    } while (typeof nextToken === "string");
  }
  return { lines, leaks };
}

export function holdsSecret(line: string, secrets: ReadonlySet<string>): boolean {
  if (telling.some((pattern) => pattern.test(line))) return true;
  for (const secret of secrets) if (line.includes(secret)) return true;
  return false;
}
