import {
  compareVersions,
  maxSatisfying,
  parseSubmittedRecipe,
  RecipeError,
  recipeDocument,
  type JsonObject,
  type Recipe,
} from "@coalmine/recipe";
import type { Clock, Instant, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { KeyedTimers } from "../keyed-timers.ts";
import type { Place } from "../service.ts";
import { ServiceError } from "../service.ts";
import { hashOf } from "../store/hash-of.ts";
import type { Store, Table } from "../store/store.ts";
import { componentArn, parseComponentArn } from "./arns.ts";
import { greengrassError } from "./errors.ts";
import { publicComponents } from "./public-components.ts";

export type ComponentState = "REQUESTED" | "INITIATED" | "DEPLOYABLE" | "FAILED" | "DEPRECATED";

/** A component version of this account. `document` is the recipe as devices get it, digests written in. */
export interface StoredComponent {
  readonly name: string;
  readonly version: string;
  readonly arn: string;
  readonly createdAt: Instant;
  readonly state: ComponentState;
  readonly message: string;
  readonly errors: Readonly<Record<string, string>>;
  readonly document: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
  readonly publisher?: string;
  readonly description?: string;
}

/** A version that a device can get: of this account, or one of AWS's own. */
export interface ResolvableVersion {
  readonly arn: string;
  readonly name: string;
  readonly version: string;
  readonly document: JsonObject;
}

export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array | undefined>;

/** How long a version stays in each state before DEPLOYABLE; the service takes about as long. */
const REQUESTED_MS = 500;
const INITIATED_MS = 1_500;
const VERSIONS_MAX = 5_000;

/** Component versions: created once, checked and hashed in the background, never changed. */
export class ComponentRegistry {
  readonly #components: Table<StoredComponent>;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #log: Log;
  readonly #readObject: ReadObject;
  readonly #timers: KeyedTimers;

  constructor(options: {
    readonly store: Store;
    readonly place: Place;
    readonly clock: Clock;
    readonly log: Log;
    readonly readObject: ReadObject;
  }) {
    this.#components = options.store.table("greengrass/components");
    this.#store = options.store;
    this.#place = options.place;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#readObject = options.readObject;
    this.#timers = new KeyedTimers(options.clock);
    // Whatever was on its way when the cloud stopped goes on.
    for (const [key, component] of this.#components.entries())
      if (component.state === "REQUESTED" || component.state === "INITIATED") this.#schedule(key, 0);
  }

  stop(): void {
    this.#timers.cancelAll();
  }

  create(recipeText: string, tags: Readonly<Record<string, string>>): StoredComponent {
    const recipe = readRecipe(recipeText);
    const name = String(recipe.componentName);
    const version = String(recipe.componentVersion);
    const arn = componentArn(this.#place, this.#place.accountId, name, version);
    const key = rowKey(name, version);
    const existing = this.#components.get(key);
    if (existing !== undefined && existing.state !== "FAILED")
      throw greengrassError.conflict(
        "COMPONENT",
        arn,
        `Component [${name} : ${version}] for account [${this.#place.accountId}] already exists with state: [${existing.state}]`,
      );
    if (this.#components.size >= VERSIONS_MAX)
      throw new ServiceError(
        "ServiceQuotaExceededException",
        402,
        `An account holds at most ${VERSIONS_MAX} component versions here; delete some.`,
        { quotaCode: "L-COMPONENT-VERSIONS", serviceCode: "greengrass" },
      );
    const component: StoredComponent = {
      name,
      version,
      arn,
      createdAt: this.#clock.now(),
      state: "REQUESTED",
      message: "NONE",
      errors: {},
      document: recipeDocument(recipe),
      tags,
      ...(recipe.publisher === undefined ? {} : { publisher: recipe.publisher }),
      ...(recipe.description === undefined ? {} : { description: recipe.description }),
    };
    this.#components.set(key, component);
    this.#schedule(key, REQUESTED_MS);
    return component;
  }

  #schedule(key: string, delayMs: number): void {
    this.#timers.set(key, delayMs, () => {
      void this.#advance(key).catch((failure: unknown) =>
        this.#log.error("a component version could not be processed", { key, reason: messageOf(failure) }),
      );
    });
  }

  /** One step towards DEPLOYABLE or FAILED. */
  async #advance(key: string): Promise<void> {
    const component = this.#components.get(key);
    if (component?.state === "REQUESTED") {
      this.#components.set(key, { ...component, state: "INITIATED" });
      this.#schedule(key, INITIATED_MS);
    } else if (component?.state === "INITIATED") {
      const hashed = await this.#withDigests(component);
      // Deleted, or made anew, while the artifacts were read.
      if (this.#components.get(key) === component) this.#components.set(key, hashed);
    }
    await this.#store.commit();
  }

  /** The digests of the artifacts as they lie in S3 now, written into the recipe that devices get. */
  async #withDigests(component: StoredComponent): Promise<StoredComponent> {
    const document = structuredClone(component.document);
    const errors: Record<string, string> = {};
    for (const artifact of artifactsOf(document)) {
      const uri = uriOf(artifact);
      const place = s3PlaceOf(uri);
      if (place === undefined) continue;
      const bytes = await this.#readObject(place.bucket, place.key).catch((failure: unknown) => {
        if (failure instanceof ServiceError) return undefined;
        throw failure;
      });
      if (bytes === undefined)
        errors[uri] = `Cannot get the artifact ${uri}: no such object in ${this.#place.region}.`;
      else {
        artifact["Digest"] = Buffer.from(hashOf("sha256", bytes), "hex").toString("base64");
        artifact["Algorithm"] = "SHA-256";
      }
    }
    if (Object.keys(errors).length > 0)
      return { ...component, state: "FAILED", message: "One or more artifacts cannot be read.", errors };
    return { ...component, state: "DEPLOYABLE", message: "NONE", document };
  }

  get(name: string, version: string): StoredComponent | undefined {
    return this.#components.get(rowKey(name, version));
  }

  delete(name: string, version: string): void {
    const key = rowKey(name, version);
    const component = this.#components.get(key);
    const arn = componentArn(this.#place, this.#place.accountId, name, version);
    if (component === undefined) throw greengrassError.notFound("COMPONENT", arn);
    if (component.state === "REQUESTED" || component.state === "INITIATED")
      throw greengrassError.conflict("COMPONENT", arn, `Component ${arn} is still being created.`);
    this.#components.delete(key);
  }

  setTags(component: StoredComponent, tags: Readonly<Record<string, string>>): void {
    this.#components.set(rowKey(component.name, component.version), { ...component, tags });
  }

  /** Versions of one component of this account, highest first. */
  versionsOf(name: string): readonly StoredComponent[] {
    return [...this.#components.entries(`${name}:`)]
      .map(([, component]) => component)
      .sort((a, b) => compareVersions(b.version, a.version));
  }

  /** The latest deployable version of each component of this account, by name. */
  latest(): readonly StoredComponent[] {
    const names = new Set([...this.#components.entries()].map(([, component]) => component.name));
    return [...names].flatMap((name) => {
      const versions = this.versionsOf(name);
      return versions.find((component) => component.state === "DEPLOYABLE") ?? versions[0] ?? [];
    });
  }

  /** The version that an ARN names, this account's or AWS's own. */
  find(arn: unknown): ResolvableVersion & { readonly stored: StoredComponent | undefined } {
    const { account, name, version } = parseComponentArn(arn);
    if (version === undefined) throw greengrassError.validation(`'${String(arn)}' names no version.`, "arn");
    if (account === "aws") {
      const owned = this.#publicVersion(name, version);
      if (owned !== undefined) return { ...owned, stored: undefined };
    } else {
      const stored = account === this.#place.accountId ? this.get(name, version) : undefined;
      if (stored !== undefined) return { ...stored, stored };
    }
    throw greengrassError.notFound("COMPONENT", String(arn));
  }

  /** The highest deployable version that satisfies every requirement; a version of one's own wins over AWS's. */
  resolve(name: string, requirements: readonly string[]): ResolvableVersion | undefined {
    const own = this.versionsOf(name).filter((component) => component.state === "DEPLOYABLE");
    const chosen = maxSatisfying(
      own.map((component) => component.version),
      requirements,
    );
    if (chosen !== undefined) return own.find((component) => component.version === chosen);
    const owned = publicComponents.find((component) => component.name === name);
    const version = owned && maxSatisfying(owned.versions, requirements);
    return version === undefined ? undefined : this.#publicVersion(name, version);
  }

  isKnown(name: string): boolean {
    return this.versionsOf(name).length > 0 || publicComponents.some((component) => component.name === name);
  }

  #publicVersion(name: string, version: string): ResolvableVersion | undefined {
    const component = publicComponents.find((candidate) => candidate.name === name);
    return component?.versions.includes(version) === true
      ? {
          arn: componentArn(this.#place, "aws", name, version),
          name,
          version,
          document: component.recipe(version),
        }
      : undefined;
  }
}

function readRecipe(text: string): Recipe {
  try {
    return parseSubmittedRecipe(text, "recipe");
  } catch (failure) {
    if (failure instanceof RecipeError) throw greengrassError.validation(failure.message, "inlineRecipe");
    throw failure;
  }
}

/** A name holds no colon, so the names' rows do not mix. */
function rowKey(name: string, version: string): string {
  return `${name}:${version}`;
}

/** The artifacts in a recipe document, to be read or completed in place. */
export function artifactsOf(document: JsonObject): JsonObject[] {
  return listOf(document["Manifests"]).flatMap((manifest) => listOf(manifest["Artifacts"]));
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value : [];
}

export function uriOf(artifact: JsonObject): string {
  const uri = artifact["Uri"];
  return typeof uri === "string" ? uri : "";
}

export function s3PlaceOf(uri: string): { bucket: string; key: string } | undefined {
  const match = /^s3:\/\/([^/]+)\/(.+)$/i.exec(uri);
  return match === null ? undefined : { bucket: match[1] ?? "", key: match[2] ?? "" };
}
