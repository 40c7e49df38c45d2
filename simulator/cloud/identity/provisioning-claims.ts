import type { Clock, Instant, Timer } from "@coalmine/ports";
import * as z from "zod";
import { iotArn } from "../iot/arn.ts";
import type { Iot } from "../iot/iot.ts";
import { operation } from "../iot/operation.ts";
import type { Operation, Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";

/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_CreateProvisioningClaim.html */
const CLAIM_MS = 5 * 60_000;
/** A client's clock may be a little behind. */
const BEFORE_MS = 60_000;

/** Claims for one template that a trusted user asks for; each is good for five minutes, and gone then. */
export class ProvisioningClaims {
  readonly #claims: Table<{ readonly expiresAt: Instant }>;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #wallClock: Clock;
  readonly #iot: Iot;
  readonly #authority: CertificateAuthority;
  #next: Timer | undefined;

  constructor(options: {
    readonly place: Place;
    readonly clock: Clock;
    readonly wallClock: Clock;
    readonly store: Store;
    readonly iot: Iot;
    readonly authority: CertificateAuthority;
  }) {
    this.#place = options.place;
    this.#clock = options.clock;
    this.#wallClock = options.wallClock;
    this.#iot = options.iot;
    this.#authority = options.authority;
    this.#claims = options.store.table("provisioning-claims");
    this.#expire();
  }

  operations(): Record<string, Operation> {
    return {
      CreateProvisioningClaim: operation(z.object({ templateName: z.string() }), ({ templateName }) =>
        this.#create(templateName),
      ),
    };
  }

  #create(templateName: string): object {
    this.#iot.templates.template(templateName);
    const { certificates, policies } = this.#iot;
    const now = this.#wallClock.now();
    const keys = this.#authority.keysAndCertificate({ from: now - BEFORE_MS, until: now + CLAIM_MS });
    const { certificateId } = certificates.register(keys.certificatePem, "ACTIVE");
    const policyName = `provisioning-claim-${templateName}`;
    if (policies.policies.get(policyName) === undefined)
      policies.create(policyName, JSON.stringify(this.#policy(templateName)));
    policies.attached.add(policyName, `cert/${certificateId}`);
    this.#claims.set(certificateId, { expiresAt: this.#clock.now() + CLAIM_MS });
    this.#expire();
    return {
      certificateId,
      certificatePem: keys.certificatePem,
      keyPair: { PublicKey: keys.publicKeyPem, PrivateKey: keys.privateKeyPem },
      expiration: new Date(now + CLAIM_MS),
    };
  }

  /** What the template's provisioning takes, and nothing else. */
  #policy(templateName: string): object {
    const topics = ["$aws/certificates/*", `$aws/provisioning-templates/${templateName}/provision/*`];
    const all = (kind: "topic" | "topicfilter"): string[] =>
      topics.map((topic) => iotArn(this.#place, kind, topic));
    return {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
        { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: all("topic") },
        { Effect: "Allow", Action: "iot:Subscribe", Resource: all("topicfilter") },
      ],
    };
  }

  /** Ends the claims whose time is over, their live sessions too, and comes back for the next. */
  #expire(): void {
    this.stop();
    const now = this.#clock.now();
    const { certificates, policies } = this.#iot;
    let next: Instant | undefined;
    for (const [certificateId, { expiresAt }] of this.#claims.entries()) {
      if (expiresAt > now) {
        next = Math.min(next ?? expiresAt, expiresAt);
        continue;
      }
      this.#claims.delete(certificateId);
      if (certificates.certificates.get(certificateId) === undefined) continue;
      certificates.setStatus(certificateId, "INACTIVE");
      for (const policy of policies.attached.leftOf(`cert/${certificateId}`))
        policies.attached.delete(policy, `cert/${certificateId}`);
      certificates.delete(certificateId);
    }
    if (next !== undefined) this.#next = this.#clock.timer(next - now, () => this.#expire());
  }

  /** No claim is looked at again until the next start. */
  stop(): void {
    this.#next?.cancel();
  }
}
