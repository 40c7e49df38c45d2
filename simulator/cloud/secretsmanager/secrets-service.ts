import type { Clock, Instant, Random } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import { pageFrom } from "../page.ts";
import { readInput } from "../read-input.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { limits } from "./limits.ts";
import type { Vault } from "./vault.ts";

interface Version {
  readonly id: string;
  readonly stages: readonly string[];
  readonly createdAt: Instant;
  /** Sealed JSON of the value. */
  readonly sealed: string;
}
interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly kmsKeyId: string | undefined;
  readonly tags: readonly object[];
  readonly createdAt: Instant;
  readonly changedAt: Instant;
  /** When it goes for good. */
  readonly deletedAt?: Instant;
  readonly versions: readonly Version[];
}

const Value = z.object({
  SecretString: z.string().min(1).max(limits.secretBytesMax).optional(),
  SecretBinary: z.instanceof(Uint8Array).optional(),
});
const Sealed = z.object({ text: z.string().optional(), bytes: z.string().optional() });
const Stages = z.array(z.string().min(1).max(256)).min(1).max(limits.stagesPerVersionMax);
const Common = Value.extend({
  ClientRequestToken: z.string().min(32).max(64).optional(),
  Description: z.string().max(2048).optional(),
  KmsKeyId: z.string().optional(),
  Tags: z
    .array(z.object({ Key: z.string(), Value: z.string() }))
    .max(50)
    .default([]),
});
const CURRENT = "AWSCURRENT";
const PREVIOUS = "AWSPREVIOUS";
const DAY_MS = 24 * 3600_000;

/** Secrets Manager: secrets with staged versions, sealed in the state directory. */
export class SecretsService implements Service {
  readonly signingName = "secretsmanager";
  readonly operations: Service["operations"];
  readonly #secrets: Table<Secret>;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #place: Place;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly random: Random;
    readonly place: Place;
    readonly vault: Vault;
  }) {
    this.#secrets = options.store.table("secretsmanager/secrets");
    this.#vault = options.vault;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#place = options.place;
    this.operations = {
      CreateSecret: (input) => this.#create(input),
      GetSecretValue: (input) => this.#getValue(input),
      PutSecretValue: (input) => {
        const stages = parsed(Stages.default([CURRENT]), input.VersionStages);
        return this.#putVersion(this.#live(input.SecretId), input, stages);
      },
      UpdateSecret: (input) => this.#update(input),
      UpdateSecretVersionStage: (input) => this.#moveStage(input),
      DescribeSecret: ({ SecretId }: Input) => described(this.#secret(SecretId)),
      ListSecrets: (input) => this.#list(input),
      DeleteSecret: (input) => this.#delete(input),
      RestoreSecret: ({ SecretId }: Input) => {
        const { deletedAt: _, ...secret } = this.#secret(SecretId);
        return named(this.#set(secret));
      },
    };
  }

  #create(input: Input): Output {
    const name = String(input.Name);
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) throw invalidParameter("Invalid name. Must be a valid name.");
    const given = parsed(Common, input);
    if (this.#find(name) !== undefined)
      throw new ServiceError(
        "ResourceExistsException",
        400,
        `The operation failed because the secret ${name} already exists.`,
      );
    if (this.#secrets.size >= limits.secretsMax)
      throw new ServiceError("LimitExceededException", 400, `The account has ${limits.secretsMax} secrets.`);
    const { region, accountId } = this.#place;
    const now = this.#clock.now();
    const secret = this.#set({
      name,
      // AWS adds six characters, so that a new secret of an old name is another.
      arn: `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${uuid(this.#random).slice(0, 6)}`,
      description: given.Description,
      kmsKeyId: given.KmsKeyId,
      tags: given.Tags,
      createdAt: now,
      changedAt: now,
      versions: [],
    });
    const hasValue = given.SecretString !== undefined || given.SecretBinary !== undefined;
    return hasValue ? this.#putVersion(secret, input, [CURRENT]) : named(secret);
  }

  /** The same token with the same value is the same version; with another it is refused. */
  #putVersion(secret: Secret, input: Input, stages: readonly string[]): Output {
    const given = parsed(Common, input);
    const { SecretString: text, SecretBinary: binary } = given;
    if ((text === undefined) === (binary === undefined))
      throw invalidParameter("You must provide either SecretString or SecretBinary, and not both.");
    if ((binary?.length ?? Buffer.byteLength(text ?? "")) > limits.secretBytesMax)
      throw invalidParameter(`A secret's value has up to ${limits.secretBytesMax} bytes.`);
    const value = JSON.stringify({ text, bytes: binary && Buffer.from(binary).toString("base64") });
    const id = given.ClientRequestToken ?? uuid(this.#random);
    const same = secret.versions.find((version) => version.id === id);
    if (same !== undefined && this.#vault.open(same.sealed, belonging(secret, id)) !== value)
      throw new ServiceError(
        "ResourceExistsException",
        400,
        `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    const version: Version = same ?? {
      id,
      stages: [],
      createdAt: this.#clock.now(),
      sealed: this.#vault.seal(value, belonging(secret, id)),
    };
    const all = [...secret.versions.filter((one) => one.id !== id), version];
    const versions = stages.reduce<readonly Version[]>((left, stage) => staged(left, stage, id), all);
    const kept = versions.filter(
      (one, at) => one.stages.length > 0 || at >= versions.length - limits.versionsPerSecretMax,
    );
    this.#set({ ...secret, versions: kept, changedAt: this.#clock.now() });
    return { ...named(secret), VersionId: id, VersionStages: stages };
  }

  #getValue(input: Input): Output {
    const secret = this.#live(input.SecretId);
    const { VersionId: id, VersionStage: stage } = input;
    const version = secret.versions.find(
      (one) =>
        (id === undefined || one.id === id) &&
        (stage === undefined ? id !== undefined || one.stages.includes(CURRENT) : one.stages.includes(stage)),
    );
    if (version === undefined)
      throw notFound(
        `Secrets Manager can't find the specified secret value for ${id === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${id}`}`,
      );
    const opened = this.#vault.open(version.sealed, belonging(secret, version.id));
    const { text, bytes } = Sealed.parse(JSON.parse(opened));
    return {
      ...named(secret),
      VersionId: version.id,
      VersionStages: version.stages,
      CreatedDate: version.createdAt,
      ...(text === undefined ? {} : { SecretString: text }),
      ...(bytes === undefined ? {} : { SecretBinary: Buffer.from(bytes, "base64") }),
    };
  }

  #update(input: Input): Output {
    const former = this.#live(input.SecretId);
    const given = parsed(Common, input);
    const secret = this.#set({
      ...former,
      description: given.Description ?? former.description,
      kmsKeyId: given.KmsKeyId ?? former.kmsKeyId,
      changedAt: this.#clock.now(),
    });
    const hasValue = given.SecretString !== undefined || given.SecretBinary !== undefined;
    return hasValue ? this.#putVersion(secret, input, [CURRENT]) : named(secret);
  }

  #moveStage({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }: Input): Output {
    const secret = this.#live(SecretId);
    const holder = secret.versions.find((version) => version.stages.includes(VersionStage))?.id;
    if (holder !== undefined && holder !== RemoveFromVersionId && holder !== MoveToVersionId)
      throw invalidParameter(
        `The parameter RemoveFromVersionId must be ${holder}, which has the staging label ${VersionStage}.`,
      );
    if (MoveToVersionId !== undefined && !secret.versions.some(({ id }) => id === MoveToVersionId))
      throw notFound(`Secrets Manager can't find the version ${MoveToVersionId}.`);
    this.#set({ ...secret, versions: staged(secret.versions, VersionStage, MoveToVersionId) });
    return named(secret);
  }

  #list(input: Input): Output {
    const start = Number(input.NextToken ?? 0);
    const size = Number(input.MaxResults ?? limits.perPage);
    if (!Number.isInteger(start) || start < 0)
      throw new ServiceError("InvalidNextTokenException", 400, "The NextToken value is invalid.");
    if (!(size >= 1 && size <= limits.perPage))
      throw invalidParameter(`MaxResults must be from 1 to ${limits.perPage}.`);
    const withDeleted = input.IncludePlannedDeletion === true;
    const all = [...this.#secrets.entries()]
      .map(([name]) => this.#find(name))
      .filter((secret) => secret !== undefined)
      .filter((secret) => withDeleted || secret.deletedAt === undefined);
    const { items, NextToken } = pageFrom(all, start, size);
    return {
      SecretList: items.map((secret) => ({
        ...described(secret),
        SecretVersionsToStages: stagesOf(secret),
      })),
      NextToken,
    };
  }

  #delete({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }: Input): Output {
    const secret = this.#secret(SecretId);
    const isForced = ForceDeleteWithoutRecovery === true;
    if (isForced && RecoveryWindowInDays !== undefined)
      throw invalidParameter("You can't use ForceDeleteWithoutRecovery with RecoveryWindowInDays.");
    const { least, usual, most } = limits.recoveryDays;
    const days = Number(RecoveryWindowInDays ?? usual);
    if (!(days >= least && days <= most))
      throw invalidParameter(`The RecoveryWindowInDays value must be between ${least} and ${most} days.`);
    const deletedAt = this.#clock.now() + (isForced ? 0 : days * DAY_MS);
    if (isForced) this.#secrets.delete(secret.name);
    else this.#set({ ...secret, deletedAt });
    return { ...named(secret), DeletionDate: deletedAt };
  }

  #set(secret: Secret): Secret {
    this.#secrets.set(secret.name, secret);
    return secret;
  }

  /** One whose time is over is gone. */
  #find(name: string): Secret | undefined {
    const secret = this.#secrets.get(name);
    if (secret?.deletedAt === undefined || secret.deletedAt > this.#clock.now()) return secret;
    this.#secrets.delete(name);
    return undefined;
  }

  /** By name or ARN, with or without the six characters. */
  #secret(id: unknown): Secret {
    const text = String(id);
    const name = /^arn:aws:secretsmanager:[^:]*:[^:]*:secret:(.+)$/.exec(text)?.[1] ?? text;
    const secret = this.#find(name) ?? this.#find(name.replace(/-.{6}$/, ""));
    const isOther = secret !== undefined && name !== secret.name && secret.arn !== text;
    if (secret === undefined || isOther) throw notFound("Secrets Manager can't find the specified secret.");
    return secret;
  }

  #live(id: unknown): Secret {
    const secret = this.#secret(id);
    if (secret.deletedAt !== undefined)
      throw new ServiceError(
        "InvalidRequestException",
        400,
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    return secret;
  }
}

/** A stage is at one version; whoever had AWSCURRENT gets AWSPREVIOUS. */
function staged(versions: readonly Version[], stage: string, to: string | undefined): readonly Version[] {
  const former = versions.find((version) => version.stages.includes(stage))?.id;
  const moved = versions.map((version): Version => {
    const others = version.stages.filter((one) => one !== stage);
    return { ...version, stages: version.id === to ? [...others, stage] : others };
  });
  return stage === CURRENT && former !== undefined && former !== to ? staged(moved, PREVIOUS, former) : moved;
}

function belonging(secret: Secret, versionId: string): string {
  return `${secret.arn}/${versionId}`;
}

function named({ arn, name }: Secret): { ARN: string; Name: string } {
  return { ARN: arn, Name: name };
}

function stagesOf({ versions }: Secret): Record<string, readonly string[]> {
  return Object.fromEntries(
    versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
  );
}

function described(secret: Secret): object {
  return {
    ...named(secret),
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: false,
    CreatedDate: secret.createdAt,
    LastChangedDate: secret.changedAt,
    DeletedDate: secret.deletedAt,
    Tags: secret.tags,
    VersionIdsToStages: stagesOf(secret),
  };
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  return readInput(schema, input, (member, why) =>
    invalidParameter(`The parameter ${member} is invalid: ${why}.`),
  );
}
function invalidParameter(message: string): ServiceError {
  return new ServiceError("InvalidParameterException", 400, message);
}
function notFound(message: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", 400, message);
}
