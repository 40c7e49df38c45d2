import type { JsonObject } from "@coalmine/ports";
import type { SeededRandom } from "@coalmine/runtime";
import type { MemoryCloud } from "../testing/memory-cloud.ts";

const NAMES = ["A", "B", "C", "D"] as const;
/** A deployment's first versions are there from the start; a few more come. */
const VERSIONS_MAX = 8;

export function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** What was published, with what each version depends on. */
export class RandomComponents {
  readonly #cloud: MemoryCloud;
  readonly #random: SeededRandom;
  readonly #dependencies = new Map<string, readonly string[]>();
  readonly #versions = new Map<string, string[]>();

  constructor(cloud: MemoryCloud, random: SeededRandom) {
    this.#cloud = cloud;
    this.#random = random;
    for (const name of NAMES) this.#publish(name, { Lifecycle: { Run: "stay" } });
  }

  /** The next version of some component, which may do anything that a component does wrong. */
  publish(): string {
    const name = pick(this.#random, NAMES);
    if ((this.#versions.get(name)?.length ?? 0) >= VERSIONS_MAX) return `${name} has versions enough`;
    const random = this.#random;
    const lifecycle: JsonObject = {};
    const chance = random.next();
    if (chance < 0.5) lifecycle["Run"] = "stay; say {configuration:/x}";
    else if (chance < 0.6) lifecycle["Run"] = "exit 1";
    else if (chance < 0.65) lifecycle["Run"] = "exit 0";
    else if (chance < 0.75)
      lifecycle["Startup"] = `slow ${random.below(4000)} ${random.next() < 0.2 ? 2 : 0}`;
    else if (chance < 0.9) lifecycle["Run"] = `slow ${1000 + random.below(60_000)} 1`;
    if (random.next() < 0.3)
      lifecycle["Install"] = `slow ${random.below(3000)} ${random.next() < 0.15 ? 1 : 0}`;
    if (random.next() < 0.2) lifecycle["Shutdown"] = `slow ${random.below(3000)} 0`;
    if (random.next() < 0.15)
      lifecycle["Bootstrap"] = {
        Script: `slow ${random.below(2000)} ${pick(random, [0, 0, 100, 101, 3])}`,
        BootstrapOnRollback: random.next() < 0.5,
      };
    const above = NAMES.slice(0, NAMES.indexOf(name)).filter(() => random.next() < 0.3);
    const Dependencies = Object.fromEntries(
      above.map((dependency) => [
        dependency,
        {
          VersionRequirement: pick(random, ["*", ">=1.0.0", "^1.0.0"]),
          DependencyType: pick(random, ["HARD", "SOFT"]),
        },
      ]),
    );
    const version = this.#publish(name, {
      Lifecycle: lifecycle,
      Dependencies,
      Configuration: { x: random.below(3), [`only${random.below(3)}`]: true },
    });
    return `publishes ${name} ${version} ${JSON.stringify(lifecycle)} on ${above.join(" ") || "nothing"}`;
  }

  /** Some components in some versions, as a deployment document has them. */
  choose(): JsonObject {
    const random = this.#random;
    const chosen = NAMES.filter(() => random.next() < 0.5);
    return Object.fromEntries(
      (chosen.length === 0 ? ["A" as const] : chosen).map((name) => {
        const merge = { x: random.below(5) };
        return [
          name,
          {
            version: pick(random, this.#versions.get(name) ?? []),
            ...(random.next() < 0.3
              ? { configurationUpdate: { merge, reset: random.next() < 0.3 ? [""] : [] } }
              : {}),
          },
        ];
      }),
    );
  }

  /** The components that these versions bring with them, by name. */
  closure(
    versions: Readonly<Record<string, string>>,
    present: (name: string) => string | undefined,
  ): Set<string> {
    const names = new Set(Object.keys(versions));
    for (const name of names)
      for (const dependency of this.#dependencies.get(`${name}@${present(name)}`) ?? [])
        names.add(dependency);
    return names;
  }

  #publish(name: string, recipe: JsonObject): string {
    const versions = this.#versions.get(name) ?? [];
    const version = `1.${versions.length}.0`;
    this.#versions.set(name, [...versions, version]);
    this.#dependencies.set(`${name}@${version}`, Object.keys(recipe["Dependencies"] ?? {}));
    this.#cloud.addComponent(name, version, recipe);
    return version;
  }
}
