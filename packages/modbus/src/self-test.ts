import type { Clock, Link } from "@coalmine/ports";
import { modbusMaster, type Manners, type Outcome } from "./master.ts";
import { exceptionNames, type ReadRequest } from "./request.ts";

export interface ModbusSelfTest {
  readonly found: boolean;
  readonly passed: boolean;
  /** Of all requests: how many were answered with values, and the slowest of those answers. */
  readonly answered: number;
  readonly asked: number;
  readonly slowestMs: number;
  /** Why the link ended, where it did by itself. */
  readonly ended: string | undefined;
  /** What was answered, in order. */
  readonly values: readonly {
    readonly request: ReadRequest;
    readonly data: Uint8Array;
    readonly heardMs: number;
  }[];
  /** What to do, where it did not pass. */
  readonly complaints: readonly string[];
}

const ROUNDS = 20;
/** Nobody there: more patience would tell no more. */
const SILENT_MAX = 3;

/**
 * Asks a slave for each of `requests` twenty times, as commissioning does: who answers all of them is wired and configured
 * right. The link must be just opened and is closed at the end.
 */
export async function modbusSelfTest(
  link: Link,
  clock: Clock,
  of: {
    readonly framing: "rtu" | "tcp";
    readonly manners: Manners;
    readonly requests: readonly ReadRequest[];
  },
): Promise<ModbusSelfTest> {
  const master = modbusMaster(of.framing, link, clock, of.manners);
  const outcomes: { readonly request: ReadRequest; readonly outcome: Outcome }[] = [];
  try {
    for (let round = 0; round < ROUNDS && master.ended === undefined; round++)
      for (const request of of.requests) {
        outcomes.push({ request, outcome: await master.read(request) });
        if (outcomes.length >= SILENT_MAX && outcomes.every((asked) => asked.outcome.kind === "no-reply"))
          return judged(outcomes, master.ended);
      }
    return judged(outcomes, master.ended);
  } finally {
    await master.close();
  }
}

function judged(
  outcomes: readonly { readonly request: ReadRequest; readonly outcome: Outcome }[],
  ended: string | undefined,
): ModbusSelfTest {
  const values: ModbusSelfTest["values"][number][] = [];
  let slowestMs = 0;
  const refusals = new Set<string>();
  for (const { request, outcome } of outcomes)
    if (outcome.kind === "values") {
      values.push({ request, data: outcome.data, heardMs: outcome.heardMs });
      slowestMs = Math.max(slowestMs, outcome.heardMs - outcome.askedMs);
    } else if (outcome.kind === "exception")
      refusals.add(
        `unit ${request.unit} refuses function ${request.function}, address ${request.address}, count ${request.count}: ${exceptionNames[outcome.code] ?? "exception"} (${outcome.code}): correct the configuration`,
      );
  const answered = values.length;
  const found = answered > 0 || refusals.size > 0;
  const missing = outcomes.length - answered;
  const complaints = [
    !found && "nothing answers",
    ...refusals,
    found &&
      refusals.size === 0 &&
      missing > 0 &&
      `${missing} of ${outcomes.length} answers did not come: check the cable`,
  ].filter((complaint) => complaint !== false);
  return {
    found,
    passed: complaints.length === 0,
    answered,
    asked: outcomes.length,
    slowestMs,
    ended,
    values,
    complaints,
  };
}
