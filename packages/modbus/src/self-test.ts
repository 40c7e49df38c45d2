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
  /** What to do, where it did not pass. */
  readonly advice: string;
}

const ROUNDS = 5;

/**
 * Asks a slave for each of `requests` five times, as commissioning does: who answers all of them is wired and configured
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
        // Nobody there: four more rounds of patience would tell no more.
        if (outcomes.length >= ROUNDS && outcomes.every((asked) => asked.outcome.kind === "no-reply"))
          return judged(outcomes);
      }
    return judged(outcomes);
  } finally {
    await master.close();
  }
}

function judged(
  outcomes: readonly { readonly request: ReadRequest; readonly outcome: Outcome }[],
): ModbusSelfTest {
  let answered = 0;
  let slowestMs = 0;
  let damaged = 0;
  const refusals = new Set<string>();
  for (const { request, outcome } of outcomes)
    if (outcome.kind === "values") {
      answered++;
      slowestMs = Math.max(slowestMs, outcome.heardMs - outcome.askedMs);
    } else if (outcome.kind === "exception")
      refusals.add(
        `unit ${request.unit} refuses function ${request.function}, address ${request.address}, count ${request.count}: ${exceptionNames[outcome.code] ?? "exception"} (${outcome.code})`,
      );
    else if (outcome.why === "damaged") damaged++;
  const found = answered > 0 || refusals.size > 0;
  const missing = outcomes.length - answered;
  const complaints = [
    !found &&
      damaged === 0 &&
      "nothing answers: check power, the two wires (A and B swapped?), unit and baud rate",
    !found &&
      damaged > 0 &&
      "only damage comes: check baud rate and parity, and that one end of the line is terminated",
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
    advice: complaints.length === 0 ? "" : `${complaints.join("; ")}.`,
  };
}
