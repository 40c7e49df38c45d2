import type { Ipc, Log, Ports, ValidationAnswer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";

/** What an `Ipc` needs of the component it belongs to. */
export interface IpcContext {
  readonly clock: Pick<Ports["clock"], "now">;
  readonly log: Log;
  /** Told when a subscription ended that nobody closed: going on without it would be going on deaf. */
  readonly process: Pick<Ports["process"], "fail">;
}

/** The component's answer to a proposed configuration; a validator that fails has not accepted it. */
export async function validationAnswer(
  validate: () => ValidationAnswer | Promise<ValidationAnswer>,
  log: Log,
): Promise<ValidationAnswer> {
  try {
    return await validate();
  } catch (thrown) {
    log.error("configuration could not be validated", { reason: messageOf(thrown) });
    return { status: "REJECTED", message: `the configuration could not be validated: ${messageOf(thrown)}` };
  }
}

/** How long the component asks an update to wait, in milliseconds; a handler that fails does not hold it up. */
export async function deferral(
  before: Parameters<Ipc["subscribeToComponentUpdates"]>[0]["before"],
  log: Log,
): Promise<number> {
  try {
    return await before();
  } catch (thrown) {
    log.error("component update could not be considered", { reason: messageOf(thrown) });
    return 0;
  }
}

/** Sends an answer. The device stops waiting at its own time limit; an answer that comes later changes nothing. */
export async function sendAnswer(what: string, log: Log, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (thrown) {
    log.warn("answer came too late or was refused", { answer: what, reason: messageOf(thrown) });
  }
}
