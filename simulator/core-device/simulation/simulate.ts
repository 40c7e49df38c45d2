import { createHash } from "node:crypto";
import type { JsonObject } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { parseDeploymentDocument } from "@coalmine/recipe";
import { CoreDevice } from "../core-device.ts";
import { isHealthy } from "../lifecycle/states.ts";
import { groupDocument, START, thingDocument } from "../testing/device.ts";
import { MemoryCloud } from "../testing/memory-cloud.ts";
import { memoryRoot } from "../testing/memory-root.ts";
import { ScriptedLauncher, type ScriptedProcess } from "../testing/scripted-launcher.ts";
import { drain } from "../testing/services.ts";
import { Invariants, Violation } from "./invariants.ts";
import { JumpingClock } from "./jumping-clock.ts";
import { pick, RandomComponents } from "./random-components.ts";

export const STEPS = 40;
/** The longest that anything of this world takes to settle, many times over. */
const CALM_MS = 1_800_000;

interface Wish {
  readonly group: string;
  readonly versions: Record<string, string>;
}

/**
 * One core device's life from a seed: deployments of all kinds, cancels, power cuts, a cloud link that comes and goes, a
 * clock that is set wrong, components that crash. Throws `Violation` where an invariant does not hold; gives the digest
 * of everything that happened.
 */
export async function simulate(seed: string, steps = STEPS): Promise<{ readonly digest: string }> {
  const life = new Life(seed);
  try {
    await life.begin();
    for (let step = 0; step < steps; step++) await life.step();
    await life.calm();
    return { digest: life.digest() };
  } catch (failure) {
    if (failure instanceof Violation) failure.message += `\n${life.history.slice(-60).join("\n")}`;
    throw failure;
  }
}

class Life {
  readonly history: string[] = [];
  readonly #random: SeededRandom;
  readonly #driven = new DrivenClock(START, drain);
  readonly #clock = new JumpingClock(this.#driven);
  readonly #cloud = new MemoryCloud();
  readonly #root = memoryRoot(this.#driven);
  readonly #components: RandomComponents;
  readonly #invariants = new Invariants(this.#cloud);
  /** By what the device calls the deployment. */
  readonly #wishes = new Map<string, Wish>();
  readonly #endedInOrder: string[] = [];
  #launcher = new ScriptedLauncher();
  #device: CoreDevice | undefined;
  #violation: Error | undefined;
  #revision = 0;

  constructor(seed: string) {
    this.#random = new SeededRandom(seed);
    this.#components = new RandomComponents(this.#cloud, this.#random.fork("components"));
  }

  get #now(): CoreDevice {
    if (this.#device === undefined) throw new Error("the life has not begun");
    return this.#device;
  }

  async begin(): Promise<void> {
    const launcher = new ScriptedLauncher();
    launcher.programs.set("slow", (process) => this.#slow(process));
    const device = new CoreDevice({
      thingName: "T",
      region: "us-east-1",
      clock: this.#clock,
      random: this.#random.fork(`device ${this.history.length}`),
      root: this.#root,
      cloudLink: this.#cloud,
      dataPlane: this.#cloud,
      launcher,
      platform: { os: "linux", architecture: "amd64" },
      nucleusVersion: "2.18.0",
      environment: { PATH: "/usr/bin" },
      log: silentLog,
      nucleusConfiguration: { iotRoleAlias: "Alias", deploymentPollingFrequencySeconds: 1 },
    });
    device.watch((event) => {
      // A cut device may still think; nobody hears it.
      if (this.#device !== device) return;
      const { kind, ...told } = event;
      this.history.push(`  ${this.#driven.now() - START} ${kind} ${JSON.stringify(told)}`);
      if (event.kind === "deployment" && event.result !== undefined) this.#endedInOrder.push(event.id);
      try {
        this.#invariants.hear(event, device);
      } catch (failure) {
        this.#violation ??= failure instanceof Error ? failure : new Error(String(failure));
      }
    });
    this.#launcher = launcher;
    this.#device = device;
    await device.start();
    await this.#driven.settle();
  }

  async step(): Promise<void> {
    this.history.push(`${this.#driven.now() - START} ${await this.#happen()}`);
    await this.#run(this.#random.next() < 0.3 ? 0 : this.#random.below(12_000));
    await this.#check();
  }

  /** What happens next, in words. */
  async #happen(): Promise<string> {
    const random = this.#random;
    const chance = random.next();
    if (chance < 0.2) return this.#components.publish();
    if (chance < 0.42) return this.#deployToGroup();
    if (chance < 0.54) return this.#deployToThing();
    if (chance < 0.6) return this.#cancel();
    if (chance < 0.7) return this.#flip();
    if (chance < 0.8) {
      await this.#now.cut();
      await this.begin();
      return "the power is cut, and comes back";
    }
    if (chance < 0.84) {
      const stopping = this.#now.stop();
      await this.#run(60_000);
      await stopping;
      await this.begin();
      return "the device is stopped and started";
    }
    if (chance < 0.9) {
      const byMs = (random.below(7200) - 3600) * 1000;
      this.#clock.jump(byMs);
      return `the clock jumps by ${byMs} ms`;
    }
    const running = this.#launcher.launched.filter((process) => process.isRunning);
    if (running.length === 0) return "nothing runs that could crash";
    const victim = pick(random, running);
    victim.exit(null, "SIGSEGV");
    return `${victim.command.component} ${victim.command.step} crashes`;
  }

  /** The network stays, faults end, and everything comes to rest; then what was asked for last must be there. */
  async calm(): Promise<void> {
    if (!this.#cloud.online) this.#cloud.connect();
    this.history.push(`${this.#driven.now() - START} calm`);
    await this.#run(CALM_MS);
    await this.#check();
    const device = this.#now;
    if (!device.isIdle) throw new Violation("the device has not come to rest");
    const open = this.#cloud.jobs.filter(({ status }) => status === "QUEUED" || status === "IN_PROGRESS");
    if (open.length > 0)
      throw new Violation(`jobs without an end: ${open.map(({ jobId }) => jobId).join(", ")}`);
    this.#checkWishes();
  }

  digest(): string {
    return createHash("sha256").update(this.history.join("\n")).digest("hex");
  }

  /** The roots of each group are those of the last deployment that the device took on, and what they need is there too. */
  #checkWishes(): void {
    const roots = new Map<string, Record<string, string>>();
    let exact = true;
    for (const id of this.#endedInOrder) {
      const wish = this.#wishes.get(id);
      const status = this.#invariants.ended.get(id)?.detailedStatus;
      if (status === "FAILED_UNABLE_TO_ROLLBACK") return;
      if (wish === undefined || (status !== "SUCCESSFUL" && status !== "FAILED_ROLLBACK_NOT_REQUESTED"))
        continue;
      exact = status === "SUCCESSFUL";
      roots.set(wish.group, wish.versions);
    }
    const present = new Map(this.#now.components().map(({ name, version }) => [name, version]));
    const wanted = Object.fromEntries([...roots.values()].flatMap((versions) => Object.entries(versions)));
    for (const [name, version] of Object.entries(wanted))
      if (present.get(name) !== version)
        throw new Violation(`${name} ${version} was asked for, and the device has ${present.get(name)}`);
    if (!exact) return;
    const closure = this.#components.closure(wanted, (name) => present.get(name));
    const extra = [...present.keys()].filter((name) => !closure.has(name) && !name.startsWith("aws."));
    if (extra.length > 0) throw new Violation(`nothing asks for ${extra.join(", ")}`);
    const stuck = this.#now.components().filter(({ state }) => !isHealthy(state) && state !== "BROKEN");
    const waits = stuck.filter(({ state }) => state === "NEW");
    if (waits.length > 0) throw new Violation(`${waits.map(({ name }) => name).join(", ")} never began`);
  }

  async #run(ms: number): Promise<void> {
    await this.#driven.runUntil(this.#driven.now() + ms);
  }

  async #check(): Promise<void> {
    await this.#driven.settle();
    if (this.#violation !== undefined) throw this.#violation;
    const configuration = (await this.#root.readText("config/config.tlog")) ?? "";
    this.#invariants.check(this.#now, this.#launcher.launched, configuration);
  }

  #deployToGroup(): string {
    const jobId = `job-${++this.#revision}`;
    const document = groupDocument(this.#revision, this.#components.choose(), this.#policies());
    this.#wish(jobId, "thinggroup/fleet", document);
    this.#cloud.deployJob(jobId, document);
    return `deploys ${jobId} ${JSON.stringify(document["components"])} ${JSON.stringify(document["failureHandlingPolicy"])}`;
  }

  #deployToThing(): string {
    const document = thingDocument(++this.#revision, this.#components.choose(), this.#policies());
    this.#wish(parseDeploymentDocument(document).configurationArn, "thing/T", document);
    this.#cloud.deployShadow(document);
    return `deploys to the thing ${JSON.stringify(document["components"])} ${JSON.stringify(document["failureHandlingPolicy"])}`;
  }

  #policies(): JsonObject {
    return { failureHandlingPolicy: this.#random.next() < 0.7 ? "ROLLBACK" : "DO_NOTHING" };
  }

  #wish(id: string, group: string, document: JsonObject): void {
    const { components } = parseDeploymentDocument(document);
    const versions = Object.entries(components).map(([name, { version }]) => [name, version] as const);
    this.#wishes.set(id, { group, versions: Object.fromEntries(versions) });
  }

  #cancel(): string {
    const job = this.#cloud.jobs.findLast(({ status }) => status === "QUEUED" || status === "IN_PROGRESS");
    if (job === undefined) return "there is no job to cancel";
    this.#cloud.cancelJob(job.jobId);
    return `cancels ${job.jobId}`;
  }

  #flip(): string {
    if (this.#cloud.online) {
      this.#cloud.disconnect();
      return "the network goes";
    }
    const isKept = this.#random.next() < 0.5;
    this.#cloud.connect(isKept);
    return `the network comes back, ${isKept ? "with" : "without"} its session`;
  }

  /** `slow MS CODE`: ends with the code after so long. */
  #slow(process: ScriptedProcess): void {
    const [, ms = "0", code = "0"] = /slow (\d+) (\d+)/.exec(process.command.script) ?? [];
    this.#driven.timer(Number(ms), () => {
      if (process.isRunning) process.exit(Number(code));
    });
  }
}
