import type { Clock } from "@coalmine/ports";
import { type Place, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { iotArn } from "./arn.ts";
import { alreadyExists, deleteConflict, notFound } from "./operation.ts";
import { Pairs } from "./pairs.ts";
import { type CompiledStatement, compilePolicy } from "./policy-document.ts";

export interface Policy {
  readonly policyName: string;
  readonly defaultVersionId: string;
  readonly lastVersion: number;
  readonly createdAt: number;
  readonly versions: Readonly<Record<string, { readonly document: string; readonly createdAt: number }>>;
}

const VERSIONS_MAX = 5;

/** IoT policies, their versions, and the certificates and thing groups that they are attached to. */
export class Policies {
  readonly place: Place;
  readonly policies: Table<Policy>;
  /** Policy name to target: `cert/<id>` or `thinggroup/<name>`. */
  readonly attached: Pairs;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #compiled = new Map<string, readonly CompiledStatement[]>();

  constructor(options: {
    readonly place: Place;
    readonly store: Store;
    readonly clock: Clock;
    readonly changed: () => void;
  }) {
    this.place = options.place;
    this.#clock = options.clock;
    this.policies = options.store.table("iot-policies");
    this.attached = new Pairs(options.store.table("iot-policy-attachments"), options.changed);
    this.#changed = options.changed;
  }

  arn(name: string): string {
    return iotArn(this.place, "policy", name);
  }

  policy(name: string): Policy {
    const policy = this.policies.get(name);
    if (policy === undefined) throw notFound(`Policy ${name}`);
    return policy;
  }

  create(policyName: string, document: string): Policy {
    if (this.policies.get(policyName) !== undefined)
      throw alreadyExists(`Policy ${policyName}`, policyName, this.arn(policyName));
    compilePolicy(document);
    const createdAt = this.#clock.now();
    const policy: Policy = {
      policyName,
      defaultVersionId: "1",
      lastVersion: 1,
      createdAt,
      versions: { "1": { document, createdAt } },
    };
    this.#put(policy);
    return policy;
  }

  createVersion(policyName: string, document: string, setAsDefault: boolean): string {
    const policy = this.policy(policyName);
    compilePolicy(document);
    if (Object.keys(policy.versions).length >= VERSIONS_MAX)
      throw new ServiceError(
        "VersionsLimitExceededException",
        409,
        `Policy ${policyName} has ${VERSIONS_MAX} versions, the most allowed: delete one first.`,
      );
    const lastVersion = policy.lastVersion + 1;
    const versionId = String(lastVersion);
    this.#put({
      ...policy,
      lastVersion,
      defaultVersionId: setAsDefault ? versionId : policy.defaultVersionId,
      versions: { ...policy.versions, [versionId]: { document, createdAt: this.#clock.now() } },
    });
    return versionId;
  }

  version(policyName: string, versionId: string): { readonly document: string; readonly createdAt: number } {
    const version = this.policy(policyName).versions[versionId];
    if (version === undefined) throw notFound(`Version ${versionId} of policy ${policyName}`);
    return version;
  }

  setDefault(policyName: string, versionId: string): void {
    this.version(policyName, versionId);
    this.#put({ ...this.policy(policyName), defaultVersionId: versionId });
  }

  deleteVersion(policyName: string, versionId: string): void {
    const policy = this.policy(policyName);
    this.version(policyName, versionId);
    if (policy.defaultVersionId === versionId)
      throw deleteConflict(`Version ${versionId} is the default of policy ${policyName}.`);
    const { [versionId]: _gone, ...versions } = policy.versions;
    this.#put({ ...policy, versions });
  }

  delete(policyName: string): void {
    const policy = this.policy(policyName);
    if (this.attached.rightOf(policyName).length > 0)
      throw deleteConflict(`Cannot delete policy ${policyName}: it is attached to one or more targets.`);
    if (Object.keys(policy.versions).length > 1)
      throw deleteConflict(`Cannot delete policy ${policyName}: delete its other versions first.`);
    this.policies.delete(policyName);
    this.#compiled.delete(policyName);
  }

  /** The statements that count for these targets. */
  *statements(targets: readonly string[]): Iterable<CompiledStatement> {
    for (const target of targets)
      for (const name of this.attached.leftOf(target)) yield* this.#statementsOf(name);
  }

  #statementsOf(policyName: string): readonly CompiledStatement[] {
    const known = this.#compiled.get(policyName);
    if (known !== undefined) return known;
    const policy = this.policy(policyName);
    const compiled = compilePolicy(policy.versions[policy.defaultVersionId]?.document ?? "");
    this.#compiled.set(policyName, compiled);
    return compiled;
  }

  #put(policy: Policy): void {
    this.policies.set(policy.policyName, policy);
    this.#compiled.delete(policy.policyName);
    this.#changed();
  }
}
