import { createHash } from "node:crypto";
import type { Clock, Instant, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import type { Request } from "../broker/request.ts";
import type { Iot } from "../iot/iot.ts";
import { fillTemplate, type FilledTemplate } from "../iot/template-body.ts";
import type { ProvisioningTemplate } from "../iot/templates.ts";
import { ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { type CertificateAuthority, secret } from "./certificate-authority.ts";
import { askHook, type CallFunction } from "./pre-provisioning-hook.ts";

/** One use of a claim, kept for good. */
export interface ClaimUse {
  readonly claimCertificateId: string;
  readonly certificateId: string;
  readonly thingName: string;
  readonly templateName: string;
  readonly clientId: string;
  readonly at: Instant;
}

interface Ownership {
  readonly certificateId: string;
  readonly claimCertificateId: string;
  readonly expiresAt: Instant;
}

const OWNERSHIP_MS = 3600_000;
/** Ours: what nobody has provisioned yet. Beyond it a claim gets no more certificates until some expire. */
const UNUSED_MAX = 10_000;

const KeysRequest = z.object({});
const CsrRequest = z.object({ certificateSigningRequest: z.string() });
const ProvisionRequest = z.object({
  certificateOwnershipToken: z.string(),
  parameters: z.record(z.string(), z.string()).default({}),
});

/**
 * Fleet provisioning by claim, over MQTT. A claim gets a certificate that counts for nothing until a template has made
 * it a thing's; what is not used within the hour is deleted.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/fleet-provision-api.html
 */
export class FleetProvisioning {
  /** Keyed by a digest of the token: what is stored opens nothing. */
  readonly #tokens: Table<Ownership>;
  readonly #uses: Table<ClaimUse>;
  readonly #clock: Clock;
  readonly #iot: Iot;
  readonly #authority: CertificateAuthority;
  readonly #broker: Broker;
  readonly #callFunction: CallFunction;

  constructor(options: {
    readonly clock: Clock;
    readonly store: Store;
    readonly iot: Iot;
    readonly authority: CertificateAuthority;
    readonly broker: Broker;
    /** For the template's hook. */
    readonly callFunction: CallFunction;
  }) {
    this.#clock = options.clock;
    this.#iot = options.iot;
    this.#authority = options.authority;
    this.#broker = options.broker;
    this.#callFunction = options.callFunction;
    this.#tokens = options.store.table("provisioning-tokens");
    this.#uses = options.store.table("provisioning-uses");
    this.#on("$aws/certificates/create-from-csr/json", (request) => {
      const { certificateSigningRequest } = this.#read(CsrRequest, request);
      return this.#own(request, this.#authority.signCsr(certificateSigningRequest));
    });
    this.#on("$aws/certificates/create/json", (request) => {
      this.#read(KeysRequest, request);
      const { certificatePem, privateKeyPem } = this.#authority.keysAndCertificate();
      return { ...this.#own(request, certificatePem), privateKey: privateKeyPem };
    });
    this.#on("$aws/provisioning-templates/+/provision/json", (request) => this.#provision(request));
    this.#expire();
  }

  /** Every use of a claim, oldest first. */
  get uses(): ClaimUse[] {
    return [...this.#uses.entries()].map(([, use]) => use);
  }

  #on(filter: string, answer: (request: Request) => Promise<object> | object): void {
    this.#broker.handle(filter, (request) => {
      const reply = (ending: string, body: object): void =>
        this.#broker.publish(`${request.topic}/${ending}`, JSON.stringify(body), {
          onlyTo: request.clientId,
        });
      // The promise ends here: a refusal is an answer, and anything else is told as AWS tells its own failures.
      void Promise.resolve(request)
        .then(answer)
        .then(
          (body) => reply("accepted", body),
          (failure: unknown) => reply("rejected", rejection(failure)),
        );
    });
  }

  #read<Schema extends z.ZodType>(schema: Schema, request: Request): z.infer<Schema> {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(request.payload).toString());
    } catch {
      throw new ServiceError("InvalidJson", 400, "The payload is not JSON.");
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new ServiceError(
      "InvalidParameters",
      400,
      `${issue?.path.join(".") ?? "payload"}: ${issue?.message ?? ""}`,
    );
  }

  #own(request: Request, certificatePem: string): object {
    this.#expire();
    if (this.#tokens.size >= UNUSED_MAX)
      throw new ServiceError(
        "ThrottlingException",
        429,
        `${UNUSED_MAX} certificates wait to be used: try in an hour.`,
      );
    const { certificateId } = this.#iot.certificates.register(certificatePem, "PENDING_ACTIVATION");
    const certificateOwnershipToken = secret(256);
    this.#tokens.set(digest(certificateOwnershipToken), {
      certificateId,
      claimCertificateId: request.peer.certificateId,
      expiresAt: this.#clock.now() + OWNERSHIP_MS,
    });
    return { certificateId, certificatePem, certificateOwnershipToken };
  }

  async #provision(request: Request): Promise<object> {
    this.#expire();
    const templateName = request.topic.split("/")[2] ?? "";
    const { certificateOwnershipToken, parameters } = this.#read(ProvisionRequest, request);
    const key = digest(certificateOwnershipToken);
    const owned = this.#tokens.get(key);
    if (owned === undefined)
      throw new ServiceError(
        "InvalidCertificateOwnershipToken",
        400,
        "The certificate ownership token is unknown, used or older than an hour: ask for a certificate again.",
      );
    const template = this.#iot.templates.template(templateName);
    if (!template.enabled)
      throw new ServiceError(
        "InvalidTemplate",
        400,
        `The provisioning template ${templateName} is not enabled.`,
      );
    // Used up whatever comes of it, and before anything is awaited: two requests must not share one token.
    this.#tokens.delete(key);
    try {
      const overrides = await this.#askHook(request, template, owned, parameters);
      const filled = fillTemplate(template.body, {
        ...parameters,
        ...overrides,
        "AWS::IoT::Certificate::Id": owned.certificateId,
      });
      const thingName = this.#carryOut(filled, owned.certificateId);
      const use = {
        claimCertificateId: request.peer.certificateId,
        certificateId: owned.certificateId,
        thingName,
        templateName,
        clientId: request.clientId,
        at: this.#clock.now(),
      };
      this.#uses.set(`${String(use.at).padStart(15, "0")}/${owned.certificateId}`, use);
      return { deviceConfiguration: filled.deviceConfiguration, thingName };
    } catch (failure) {
      this.#iot.certificates.delete(owned.certificateId);
      throw failure;
    }
  }

  async #askHook(
    request: Request,
    template: ProvisioningTemplate,
    owned: Ownership,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    if (template.preProvisioningHook === undefined) return {};
    const asked = {
      claimCertificateId: request.peer.certificateId,
      certificateId: owned.certificateId,
      certificatePem: this.#iot.certificates.certificate(owned.certificateId).certificatePem ?? "",
      templateArn: this.#iot.templates.arn(template.templateName),
      clientId: request.clientId,
      parameters,
    };
    return askHook(this.#callFunction, template.preProvisioningHook.targetArn, asked, this.#clock);
  }

  /** Everything that can be refused is refused before anything is changed. */
  #carryOut(filled: FilledTemplate, certificateId: string): string {
    const { things, policies, certificates } = this.#iot;
    const { thing } = filled;
    if (thing === undefined)
      throw new ServiceError("InvalidTemplate", 400, "The template has no AWS::IoT::Thing.");
    if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thing.thingName))
      throw new ServiceError("InvalidParameters", 400, `"${thing.thingName}" is no name for a thing.`);
    for (const group of thing.groups) things.groups.get(group);
    for (const policy of filled.policies) if ("name" in policy) policies.policy(policy.name);
    const exists = things.hasThing(thing.thingName);
    if (exists && Object.values(thing.overrides).includes("FAIL"))
      throw new ServiceError("ResourceConflict", 409, `The thing ${thing.thingName} exists already.`);
    if (!exists) things.createThing(thing.thingName, thing.thingTypeName, thing.attributes);
    else if (["MERGE", "REPLACE"].includes(thing.overrides["AttributePayload"] ?? ""))
      things.updateThing(thing.thingName, {
        attributes: thing.attributes,
        merge: thing.overrides["AttributePayload"] === "MERGE",
      });
    if (!exists || thing.overrides["ThingGroups"] !== "DO_NOTHING")
      for (const group of thing.groups) things.addToGroup(thing.thingName, group);
    for (const policy of filled.policies) {
      const name = "name" in policy ? policy.name : `provisioned-${digest(policy.document).slice(0, 32)}`;
      if ("document" in policy && policies.policies.get(name) === undefined)
        policies.create(name, policy.document);
      policies.attached.add(name, `cert/${certificateId}`);
    }
    things.principals.add(thing.thingName, certificateId);
    certificates.setStatus(certificateId, filled.certificateStatus);
    return thing.thingName;
  }

  /** Deletes the certificates that nobody has made a thing's within the hour, and comes back for the next. */
  #expire(): void {
    const now = this.#clock.now();
    let next: Instant | undefined;
    const held = [...this.#tokens.entries()];
    for (const [key, owned] of held) {
      if (owned.expiresAt > now) {
        next = Math.min(next ?? owned.expiresAt, owned.expiresAt);
        continue;
      }
      this.#tokens.delete(key);
      if (this.#iot.certificates.certificates.get(owned.certificateId)?.status === "PENDING_ACTIVATION")
        this.#iot.certificates.delete(owned.certificateId);
    }
    if (next === undefined || (this.#expiryAt !== undefined && this.#expiryAt > now)) return;
    this.#expiryAt = next;
    this.#expiry = this.#clock.timer(next - now, () => {
      this.#expiryAt = undefined;
      this.#expire();
    });
  }
  #expiryAt: Instant | undefined;
  #expiry: Timer | undefined;

  /** No token is looked at again until the next start. */
  stop(): void {
    this.#expiry?.cancel();
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function rejection(failure: unknown): object {
  return failure instanceof ServiceError
    ? { statusCode: failure.statusCode, errorCode: failure.code, errorMessage: failure.message }
    : { statusCode: 500, errorCode: "InternalError", errorMessage: messageOf(failure) };
}
