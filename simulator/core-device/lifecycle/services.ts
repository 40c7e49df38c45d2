import type { Clock, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { DeviceRoot, Launcher } from "../ports.ts";
import { artifactFolder, unarchivedFolder } from "../store/component-store.ts";
import { BuiltInActions, type BuiltIn } from "./built-in.ts";
import { definitionOf, effectOf, limitsAt, type Definition } from "./definition.ts";
import { environmentOf, type ProcessSurroundings } from "./environment.ts";
import { Lifecycle, type Outcome, type StateChange } from "./lifecycle.ts";
import { logSizesIn, OutputLog } from "./output-log.ts";
import { Scripts } from "./scripts.ts";

/** At shutdown components get so long in all, dependents first; then they are killed. */
export const SHUTDOWN_MS = 30_000;
/** Of an IPC token: upper case, as the nucleus draws them. */
const TOKEN_LETTERS = 16;

const RUN_WITH_DEFAULT = ["services", "aws.greengrass.Nucleus", "configuration", "runWithDefault"];
const SHELL = "sh";

export interface Component {
  readonly name: string;
  readonly lifecycle: Lifecycle;
  readonly definition: Definition;
  /** Undefined where the component is a part of the device itself. */
  readonly processes: Pick<Scripts, "isPaused" | "pause" | "resume"> | undefined;
}

interface ServicesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly root: DeviceRoot;
  readonly tree: ConfigurationTree;
  readonly launcher: Launcher;
  readonly surroundings: () => ProcessSurroundings;
  readonly builtIns: Readonly<Record<string, BuiltIn | undefined>>;
  readonly changed: (component: Component, change: StateChange) => void;
}

interface Live extends Component {
  definition: Definition;
  readonly scripts: Scripts | undefined;
  readonly actions: Scripts | BuiltInActions;
  readonly output: OutputLog;
  wasReady: boolean;
}

/** All components of the device, coupled by their HARD dependencies. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #live = new Map<string, Live>();
  readonly #tokens = new Map<string, string>();

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  get(name: string): Component | undefined {
    return this.#live.get(name);
  }

  all(): readonly Component[] {
    return [...this.#live.values()];
  }

  /** The component that owns an IPC token. */
  ownerOf(token: string): string | undefined {
    return this.#tokens.get(token);
  }

  /** The components that the configuration names. */
  configured(): readonly Definition[] {
    const { tree } = this.#options;
    return Object.keys(tree.getObject(["services"])).flatMap((name) => definitionOf(tree, name) ?? []);
  }

  /**
   * Brings the components in line with the configuration: new ones start, changed ones restart or reinstall, and a
   * BROKEN one is installed again (`reinstallBroken`). Others are left alone: one that is FINISHED would otherwise run
   * again and take its dependents with it. What is not configured any more goes on running until `retire`.
   */
  apply(reinstallBroken: boolean): void {
    for (const definition of this.configured()) {
      const live = this.#live.get(definition.name);
      if (live === undefined) {
        this.#add(definition).lifecycle.requestStart();
        continue;
      }
      const effect = effectOf(live.definition, definition);
      // Bounds count for what runs, without a restart.
      if (live.scripts !== undefined)
        this.#limit(definition).catch((failure: unknown) =>
          live.output.write("stderr", `its resource limits could not be set: ${messageOf(failure)}`, ""),
        );
      live.definition = definition;
      if (live.scripts !== undefined) live.scripts.definition = definition;
      const broken = live.lifecycle.state === "BROKEN";
      if (effect === "reinstall" || (broken && (reinstallBroken || effect === "restart")))
        live.lifecycle.requestReinstall();
      else if (effect === "restart" && !live.lifecycle.requestRestart()) live.lifecycle.requestStart();
    }
  }

  /** Runs the bootstrap step of a definition that need not be in place yet. */
  async bootstrap(definition: Definition): Promise<Outcome> {
    const output = this.#outputOf(definition.name);
    const token = this.#newToken(definition.name);
    try {
      return await this.#scripts(definition, output, token).step("bootstrap", definition);
    } finally {
      this.#tokens.delete(token);
      await output.drained();
    }
  }

  /** Stops and uninstalls what the configuration no longer names. */
  async retire(): Promise<readonly string[]> {
    const kept = new Set(this.configured().map((definition) => definition.name));
    const gone = [...this.#live.values()].filter((live) => !kept.has(live.name));
    await Promise.all(
      gone.map(async (live) => {
        await live.lifecycle.close();
        await live.scripts?.uninstall();
        await live.output.drained();
        this.#live.delete(live.name);
        const from = live.lifecycle.state;
        this.#options.changed(live, { from, to: "UNINSTALLED", at: this.#options.clock.now() });
      }),
    );
    return gone.map((live) => live.name);
  }

  /** Stops everything, dependents before what they depend on. */
  async stop(): Promise<void> {
    const closing = new Map<string, Promise<void>>();
    const close = (live: Live): Promise<void> => {
      const begun = closing.get(live.name);
      if (begun !== undefined) return begun;
      // Dependencies make no circle: resolution refuses one.
      const done = Promise.resolve().then(async () => {
        await Promise.all(this.#hardDependents(live.name).map(close));
        await live.lifecycle.close();
      });
      closing.set(live.name, done);
      return done;
    };
    const force = this.#options.clock.timer(SHUTDOWN_MS, () => {
      for (const live of this.#live.values()) {
        live.actions.kill();
        void live.lifecycle.close();
      }
    });
    await Promise.all([...this.#live.values()].map(close));
    force.cancel();
    await Promise.all([...this.#live.values()].map((live) => live.output.drained()));
  }

  /** As a power cut: no script runs any more, and none is started. */
  halt(): void {
    for (const live of this.#live.values()) {
      live.scripts?.halt();
      void live.lifecycle.close();
    }
  }

  #add(definition: Definition): Live {
    const { clock, builtIns } = this.#options;
    const { name } = definition;
    const output = this.#outputOf(name);
    const scripts =
      definition.type === "aws.greengrass.generic"
        ? this.#scripts(definition, output, this.#newToken(name))
        : undefined;
    const actions = scripts ?? new BuiltInActions(builtIns[name]);
    const lifecycle = new Lifecycle({
      clock,
      actions,
      dependenciesReady: () => this.#isReady(live.definition),
      errorResetMs: () => live.definition.steps.errorResetTimeSeconds * 1000,
      changed: (change) => this.#changed(live, change),
    });
    const live: Live = {
      name,
      definition,
      scripts,
      processes: scripts,
      actions,
      output,
      lifecycle,
      wasReady: false,
    };
    this.#live.set(name, live);
    return live;
  }

  #outputOf(name: string): OutputLog {
    const { root, clock, tree } = this.#options;
    return new OutputLog(root, clock, name, () => logSizesIn(tree));
  }

  #scripts(definition: Definition, output: OutputLog, token: string): Scripts {
    const { clock, launcher, root, tree, surroundings } = this.#options;
    const { name } = definition;
    return new Scripts(definition, {
      clock,
      launcher,
      workFolder: `${root.path}/work/${name}`,
      environment: (current, step, { setenv }) => environmentOf(current, token, step, setenv, surroundings()),
      output: (step, stream, line) =>
        output.write(stream, line, `scriptName=services.${name}.lifecycle.${step}`),
      posixUser: (current) => current.posixUser ?? tree.getText([...RUN_WITH_DEFAULT, "posixUser"]),
      shell: () => tree.getText([...RUN_WITH_DEFAULT, "posixShell"]) ?? SHELL,
      prepare: async (current, user) => {
        const { version } = current;
        await root.makeFolder(`work/${name}`);
        await this.#limit(current);
        if (user === undefined) return;
        for (const folder of [`work/${name}`, artifactFolder(name, version), unarchivedFolder(name, version)])
          await root.giveTo(folder, user);
      },
    });
  }

  /** The component's own limits, or the nucleus's for all; to set the same again does nothing. */
  async #limit({ name, limits }: Definition): Promise<void> {
    const { launcher, tree } = this.#options;
    await launcher.limit?.(name, limits ?? limitsAt(tree, RUN_WITH_DEFAULT));
  }

  #changed(live: Live, change: StateChange): void {
    const ready = live.lifecycle.isReady;
    const left = live.wasReady && !ready;
    live.wasReady = ready;
    for (const dependent of this.#hardDependents(live.name)) {
      if (left && dependent.lifecycle.state !== "NEW" && dependent.lifecycle.state !== "INSTALLED")
        dependent.lifecycle.requestRestart();
      dependent.lifecycle.poke();
    }
    this.#options.changed(live, change);
  }

  #isReady(definition: Definition): boolean {
    return definition.dependencies.every(
      ({ name, type }) => type === "SOFT" || (this.#live.get(name)?.lifecycle.isReady ?? false),
    );
  }

  #hardDependents(name: string): Live[] {
    return [...this.#live.values()].filter((live) =>
      live.definition.dependencies.some(
        (dependency) => dependency.name === name && dependency.type === "HARD",
      ),
    );
  }

  #newToken(name: string): string {
    const { random } = this.#options;
    const token = Array.from({ length: TOKEN_LETTERS }, () =>
      String.fromCodePoint(65 + Math.floor(random.next() * 26)),
    ).join("");
    this.#tokens.set(token, name);
    return token;
  }
}
