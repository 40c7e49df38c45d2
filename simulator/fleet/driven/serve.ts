import { Closing } from "@coalmine/runtime";
import * as z from "zod";
import { ControlDoor } from "../../cloud/control/control-door.ts";
import { addFaultCommands } from "../../cloud/control/fault-commands.ts";
import { listen } from "../../cloud/protocol/http-server.ts";
import { onlyReads } from "./reads.ts";
import type { DrivenRegion } from "./region.ts";
import { readRequest } from "./requests.ts";
import { fault, oracle, status } from "./status.ts";

export interface ServedRegion {
  /** Where unmodified SDK clients find it. */
  readonly endpoint: string;
  /** `POST <controlUrl>/<command>` with the token: `run-until`, `advance`, `status`, `fault`, `oracle`, `stop`. */
  readonly controlUrl: string;
  /** Resolves when somebody asked for the end. */
  readonly stopAsked: Promise<void>;
  close(): Promise<void>;
}

const RunUntil = z.strictObject({
  /** An instant in ms, or as ISO text. */
  time: z.union([z.number(), z.iso.datetime().transform((text) => Date.parse(text))]),
});

const Advance = z.strictObject({
  /** From wherever the clock stands when it is this call's turn. */
  ms: z.number().positive(),
});

/**
 * The network doors of a driven region, on loopback. While its clock runs, reads are served between events, and calls
 * that change state wait until it stands.
 */
export async function serveRegion(
  region: DrivenRegion,
  options: { readonly port: number; readonly controlToken: string },
): Promise<ServedRegion> {
  const closing = new Closing();
  const { turn, cloud } = region;
  const control = new ControlDoor(options.controlToken);
  const stopAsked = new Promise<void>((stop) => {
    control.add("stop", () => {
      stop();
      return { now: region.clock.now() };
    });
  });
  addFaultCommands(control, cloud);
  control.add("run-until", async (input) => ({ now: await turn.run(readRequest(RunUntil, input).time) }));
  control.add("advance", async (input) => ({ now: await turn.advance(readRequest(Advance, input).ms) }));
  control.add("status", () => status(region));
  control.add("oracle", (input) => oracle(region, input));
  control.add("fault", (input) => turn.change(() => fault(region, input)));
  const listening = await listen(
    (request) =>
      control.owns(request)
        ? control.handle(request)
        : onlyReads(request)
          ? cloud.handle(request)
          : turn.change(() => cloud.handle(request)),
    { port: options.port },
  );
  closing.add(listening, () => listening.close());
  cloud.servesAt(listening.endpoint);
  return {
    endpoint: listening.endpoint,
    controlUrl: `${listening.endpoint}/control`,
    stopAsked,
    close: () => closing.close(),
  };
}
