import type { JsonObject } from "@coalmine/ports";
import { replayed } from "../configuration/transaction-log.ts";
import type { CoreDevice, DeviceEvent } from "../core-device.ts";
import type { DeploymentResult } from "../deployment/deployment-error.ts";
import { sameJson, textMember } from "../json.ts";
import type { State } from "../lifecycle/states.ts";
import type { MemoryCloud } from "../testing/memory-cloud.ts";
import type { ScriptedProcess } from "../testing/scripted-launcher.ts";

/** The simulated device did what its specification forbids. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Every move that the nucleus's own table allows. */
const moves: Readonly<Record<State, readonly State[]>> = {
  NEW: ["INSTALLED", "ERRORED", "BROKEN", "UNINSTALLED"],
  INSTALLED: ["STARTING", "NEW", "FINISHED", "UNINSTALLED"],
  STARTING: ["RUNNING", "FINISHED", "STOPPING", "ERRORED", "BROKEN", "UNINSTALLED"],
  RUNNING: ["STOPPING", "ERRORED", "BROKEN", "UNINSTALLED"],
  STOPPING: ["NEW", "INSTALLED", "FINISHED", "ERRORED", "UNINSTALLED"],
  ERRORED: ["NEW", "STOPPING", "INSTALLED", "FINISHED", "UNINSTALLED"],
  BROKEN: ["NEW", "UNINSTALLED"],
  FINISHED: ["INSTALLED", "NEW", "UNINSTALLED"],
  UNINSTALLED: [],
};

type Installed = Readonly<Record<string, { version: string; configuration: JsonObject }>>;

/** What must hold after every step of a simulation, whatever happened. */
export class Invariants {
  readonly #cloud: MemoryCloud;
  /** How the device stood when the deployment that is under way began first. */
  #before: { readonly id: string; readonly installed: Installed } | undefined;
  readonly ended = new Map<string, DeploymentResult>();
  #statuses = 0;
  #sequence = -1;

  constructor(cloud: MemoryCloud) {
    this.#cloud = cloud;
  }

  hear(event: DeviceEvent, device: CoreDevice): void {
    if (event.kind === "component") {
      const { name, state } = event.component;
      if (!moves[event.from].includes(state))
        throw new Violation(`${name} went from ${event.from} to ${state}`);
    }
    if (event.kind !== "deployment") return;
    if (event.result === undefined) {
      // What a power cut interrupted begins again half changed: it is compared with its first beginning. Where another
      // came between, it had changed nothing yet.
      if (this.#before?.id !== event.id) this.#before = { id: event.id, installed: installed(device) };
      return;
    }
    this.#end(event.id, event.result, device);
  }

  #end(id: string, result: DeploymentResult, device: CoreDevice): void {
    this.ended.set(id, result);
    const before = this.#before?.id === id ? this.#before.installed : undefined;
    this.#before = undefined;
    const isBack =
      result.status === "CANCELED" ||
      result.detailedStatus === "FAILED_NO_STATE_CHANGE" ||
      result.detailedStatus === "FAILED_ROLLBACK_COMPLETE" ||
      result.status === "REJECTED";
    const now = installed(device);
    if (isBack && before !== undefined && !sameJson(before, now))
      throw new Violation(
        `${id} ended ${result.detailedStatus ?? result.status}, but the device was ${JSON.stringify(before)} and is ${JSON.stringify(now)}`,
      );
  }

  check(device: CoreDevice, processes: readonly ScriptedProcess[], configuration: string): void {
    this.#processes(device, processes);
    this.#reports();
    this.#disk(device, configuration);
  }

  /** One run script a component at a time, and none of a component that is not there. */
  #processes(device: CoreDevice, processes: readonly ScriptedProcess[]): void {
    const known = new Set(device.components().map(({ name }) => name));
    const running = processes.filter(({ isRunning }) => isRunning).map(({ command }) => command);
    for (const { component, step } of running)
      if (step !== "bootstrap" && !known.has(component))
        throw new Violation(`a ${step} script of ${component} runs, which is not on the device`);
    const runs = running.filter(({ step }) => step === "run").map(({ component }) => component);
    const twice = runs.find((component, index) => runs.indexOf(component) !== index);
    if (twice !== undefined) throw new Violation(`${twice} runs twice`);
  }

  /** A job that has ended is told of no further end; fleet statuses are numbered upwards. */
  #reports(): void {
    const fresh = this.#cloud.published.slice(this.#statuses);
    this.#statuses = this.#cloud.published.length;
    for (const { topic, payload } of fresh)
      if (topic.endsWith("/greengrassv2/health/json")) {
        const sequence = Number(payload["sequenceNumber"]);
        if (sequence <= this.#sequence)
          throw new Violation(`fleet status ${sequence} follows fleet status ${this.#sequence}`);
        this.#sequence = sequence;
      }
    for (const { jobId } of this.#cloud.jobs) {
      const told = this.#cloud.statusesOf(jobId).map((update) => textMember(update, "status") ?? "nothing");
      const ends = new Set(told.filter((status) => status !== "IN_PROGRESS"));
      if (ends.size > 1) throw new Violation(`${jobId} is told to have ended ${[...ends].join(" and ")}`);
    }
  }

  /** What the device knows of its components is on its disk. */
  #disk(device: CoreDevice, configuration: string): void {
    const { tree } = replayed(configuration);
    for (const { name } of device.components()) {
      const kept = tree.getObject(["services", name, "configuration"]);
      if (!sameJson(kept, device.configurationOf(name)))
        throw new Violation(
          `the configuration of ${name} is ${JSON.stringify(device.configurationOf(name))}, on the disk ${JSON.stringify(kept)}`,
        );
    }
  }
}

function installed(device: CoreDevice): Installed {
  return Object.fromEntries(
    device
      .components()
      .map(({ name, version }) => [name, { version, configuration: device.configurationOf(name) }]),
  );
}
