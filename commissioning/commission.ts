import { refuseUnsetClock } from "./clock-gate.ts";
import { Commissioning, type CommissioningPorts } from "./commissioning.ts";
import type { CommissionOptions } from "./options.ts";
import type { Papers } from "./papers.ts";
import { CommissioningRefused, diskRefusal } from "./refusal.ts";
import { Visit } from "./report/visit.ts";

export const steps = ["clock", "identity", "self-test", "configuration", "report"] as const;
export type Step = (typeof steps)[number];

export interface CommissionPorts extends CommissioningPorts {
  /** Told of each step before it begins. */
  readonly progress?: (step: Step) => void;
}

export interface Commissioned extends Papers {
  /** Without the network the device has no identity yet: a later run completes it. */
  readonly pending: boolean;
}

/**
 * Makes a core device of this machine, without anybody to ask. May be cut or refused at any point, and run again: it goes
 * on where it was. Rejects with a `CommissioningRefused` for what a person can mend.
 */
export async function commission(
  options: CommissionOptions,
  ports: CommissionPorts,
  visit: Visit = Visit.parse({}),
): Promise<Commissioned> {
  try {
    return await run(options, ports, visit);
  } catch (failure) {
    throw diskRefusal(failure, options.root);
  }
}

async function run(
  options: CommissionOptions,
  { progress, ...ports }: CommissionPorts,
  visit: Visit,
): Promise<Commissioned> {
  progress?.("clock");
  refuseUnsetClock(ports.clock);
  const device = await Commissioning.open(options, ports);
  const done = await device.papers();
  if (done !== undefined) {
    await device.send(done);
    return { ...done, pending: false };
  }
  progress?.("identity");
  const pending = await isOffline(options, () => device.identify());
  progress?.("self-test");
  await device.test();
  if (!pending) {
    progress?.("configuration");
    await device.configure();
  }
  progress?.("report");
  const papers = await device.report(visit);
  if (!pending) await device.send(papers);
  return { ...papers, pending };
}

/** Whether what needs the network has to wait, where that was asked for. */
async function isOffline(
  { finishOffline }: CommissionOptions,
  online: () => Promise<void>,
): Promise<boolean> {
  try {
    await online();
    return false;
  } catch (failure) {
    if (finishOffline && failure instanceof CommissioningRefused && failure.reason === "unreachable")
      return true;
    throw failure;
  }
}
