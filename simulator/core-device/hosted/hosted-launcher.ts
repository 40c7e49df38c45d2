import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PORTS_VERSION, type ComponentModule, type Ports, type Running } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Command, LaunchedProcess, Launcher } from "../ports.ts";
import type { HostedRoot } from "./hosted-root.ts";

/** The ports of a component that is started, and how to take them away. */
export interface HostedPorts {
  readonly ports: Ports;
  /** From now on no port answers: whoever awaits one waits for ever, and nothing it wrote without a sync is kept. */
  drop(): void;
  /** Called once when the component has ended by itself or was asked to. */
  close(): Promise<void>;
  /** The component asked for its own end (`process.fail`). */
  readonly failed: Promise<string>;
}

interface HostedLauncherOptions {
  readonly root: HostedRoot;
  readonly portsFor: (command: Command) => HostedPorts;
  /** Marks real work in flight on a driven clock: an import is one. */
  readonly busy: () => () => void;
}

/**
 * Nothing else is run in process: the two files of a component's artifact. What Node is told of memory is nothing to a
 * component that shares a process with others.
 */
const runScript = /^\s*exec "[^"]+"(?:\s+--[a-z][\w=-]*)*\s+"([^"]+)\/main\.mjs"\s*$/;
const Module = z.object({
  portsVersion: z.number(),
  start: z.custom<ComponentModule["start"]>((value) => typeof value === "function"),
});

/** Runs components in this process, from their published artifacts. */
export class HostedLauncher implements Launcher {
  readonly #options: HostedLauncherOptions;

  constructor(options: HostedLauncherOptions) {
    this.#options = options;
  }

  launch(command: Command): LaunchedProcess {
    return new HostedProcess(command, this.#options);
  }

  async holds({
    kind,
    what,
  }: {
    readonly kind: "exists" | "onpath";
    readonly what: string;
  }): Promise<boolean> {
    const path = kind === "exists" ? this.#options.root.realPath(what) : undefined;
    return path !== undefined && existsSync(path);
  }
}

class HostedProcess implements LaunchedProcess {
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #command: Command;
  readonly #stop = new AbortController();
  #exit: (how: { code: number | null; signal: string | null }) => void = () => undefined;
  #hosted: HostedPorts | undefined;
  #running: Running | undefined;
  #isOver = false;
  #isTerminating = false;

  constructor(command: Command, options: HostedLauncherOptions) {
    this.#command = command;
    this.exited = new Promise((resolve) => (this.#exit = resolve));
    void this.#run(options);
  }

  terminate(): void {
    if (this.#isOver || this.#isTerminating) return;
    this.#isTerminating = true;
    void this.#terminate();
  }

  kill(): void {
    if (this.#isOver) return;
    this.#stop.abort(new Error("killed"));
    this.#hosted?.drop();
    this.#over(null, "SIGKILL");
  }

  async #run({ root, portsFor, busy }: HostedLauncherOptions): Promise<void> {
    const command = this.#command;
    const folder = runScript.exec(command.script)?.[1];
    if (folder === undefined) {
      this.#fail(
        `a hosted device runs only scripts of the form exec "<node>" [--option …] "<folder>/main.mjs", not: ${command.script}`,
      );
      return;
    }
    const real = root.realPath(folder);
    if (real === undefined) {
      this.#fail(`no artifact is extracted at ${folder}`);
      return;
    }
    // The path holds the digest: however many devices run it, it is loaded once, and never freed.
    const done = busy();
    let component: z.infer<typeof Module>;
    try {
      component = Module.parse(await import(pathToFileURL(join(real, "component.mjs")).href));
    } catch (failure) {
      this.#fail(`${folder}/component.mjs is no component: ${messageOf(failure)}`);
      return;
    } finally {
      done();
    }
    if (component.portsVersion > PORTS_VERSION || component.portsVersion < PORTS_VERSION - 2) {
      this.#fail(
        `${folder}/component.mjs wants ports version ${component.portsVersion}; this simulator has ${PORTS_VERSION} and the two before`,
      );
      return;
    }
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- it may have been killed while it was imported.
    if (this.#isOver) return;
    const hosted = portsFor(command);
    this.#hosted = hosted;
    hosted.failed.then(
      (reason) => this.#fail(reason),
      () => undefined,
    );
    try {
      this.#running = await component.start(hosted.ports);
      // Asked to stop while it was starting: it can be stopped only now.
      if (this.#isTerminating) await this.#terminate();
    } catch (failure) {
      this.#fail(messageOf(failure));
    }
  }

  async #terminate(): Promise<void> {
    if (this.#running === undefined) {
      // Not started yet: a process would die of SIGTERM here.
      if (this.#hosted === undefined) this.#over(null, "SIGTERM");
      return;
    }
    try {
      await this.#running.stop(this.#stop.signal);
      this.#over(0, null);
    } catch (failure) {
      this.#fail(messageOf(failure));
    }
  }

  #fail(why: string): void {
    if (this.#isOver) return;
    this.#command.output("stderr", why);
    this.#over(1, null);
  }

  #over(code: number | null, signal: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#hosted?.close();
    this.#exit({ code, signal });
  }
}
