import type { Authorize, MqttAction, Peer } from "../broker/peer.ts";
import type { Place } from "../service.ts";
import type { Certificates } from "./certificates.ts";
import { iotArn } from "./arn.ts";
import type { Policies } from "./policies.ts";
import { isAllowed } from "./policy-document.ts";
import type { Things } from "./things.ts";

const actions: Readonly<Record<MqttAction, { action: string; kind: "client" | "topic" | "topicfilter" }>> = {
  connect: { action: "iot:Connect", kind: "client" },
  publish: { action: "iot:Publish", kind: "topic" },
  receive: { action: "iot:Receive", kind: "topic" },
  subscribe: { action: "iot:Subscribe", kind: "topicfilter" },
  retain: { action: "iot:RetainPublish", kind: "topic" },
};

/** Ours. A fleet asks the same few questions again and again; beyond it they are all thought through anew. */
const DECISIONS_MAX = 100_000;

/** What a certificate may do, by the policies attached to it and to the groups of its thing. */
export class Permissions {
  readonly #place: Place;
  readonly #certificates: Certificates;
  readonly #policies: Policies;
  readonly #things: Things;
  readonly #decided = new Map<string, boolean>();

  constructor(certificates: Certificates, policies: Policies, things: Things) {
    this.#place = things.place;
    this.#certificates = certificates;
    this.#policies = policies;
    this.#things = things;
  }

  /** For the broker. The thing of a connection is the one whose name is the client id, as in AWS. */
  readonly mqtt: Authorize = (peer, clientId, mqttAction, resource) => {
    // With its length, since a client may choose an id that looks like the rest of a question.
    const question = `${peer.certificateId}\n${clientId.length}\n${clientId}\n${mqttAction}\n${resource}`;
    const decided = this.#decided.get(question);
    if (decided !== undefined) return decided;
    const decision = this.#decide(peer, clientId, mqttAction, resource);
    if (this.#decided.size >= DECISIONS_MAX) this.#decided.clear();
    this.#decided.set(question, decision);
    return decision;
  };

  /** What was decided no longer counts. */
  forget(): void {
    this.#decided.clear();
  }

  #decide(peer: Peer, clientId: string, mqttAction: MqttAction, resource: string): boolean {
    const { action, kind } = actions[mqttAction];
    const thing = this.#things.principals.has(clientId, peer.certificateId) ? clientId : undefined;
    return this.#asks(peer.certificateId, thing, action, iotArn(this.#place, kind, resource), clientId);
  }

  /** For the credentials provider. */
  mayAssume(certificateId: string, roleAlias: string, thingName: string | undefined): boolean {
    const arn = iotArn(this.#place, "rolealias", roleAlias);
    return this.#asks(certificateId, thingName, "iot:AssumeRoleWithCertificate", arn);
  }

  /** For Greengrass's data plane, which knows neither thing variables nor policies of groups. */
  mayCall(certificateId: string, action: string, resource: string): boolean {
    return (
      this.#certificates.isActive(certificateId) &&
      isAllowed(this.#policies.statements([`cert/${certificateId}`]), { action, resource, variables: {} })
    );
  }

  /** For what devices ask of IoT itself over HTTPS. */
  mayAsk(certificateId: string, thingName: string | undefined, action: string, resource: string): boolean {
    return this.#asks(certificateId, thingName, action, resource);
  }

  #asks(
    certificateId: string,
    thingName: string | undefined,
    action: string,
    resource: string,
    clientId?: string,
  ): boolean {
    if (!this.#certificates.isActive(certificateId)) return false;
    const targets = policyTargets(this.#things, certificateId, thingName);
    const thing = thingName === undefined ? undefined : this.#things.things.get(thingName);
    return isAllowed(this.#policies.statements(targets), {
      action,
      resource,
      variables: {
        "iot:ClientId": clientId,
        "iot:CertificateId": certificateId,
        "iot:Connection.Thing.ThingName": thingName,
        "iot:Connection.Thing.ThingTypeName": thing?.thingTypeName,
        "iot:Connection.Thing.IsAttached": String(thingName !== undefined),
        "credentials-iot:ThingName": thingName,
        ...Object.fromEntries(
          Object.entries(thing?.attributes ?? {}).map(([name, value]) => [
            `iot:Connection.Thing.Attributes[${name}]`,
            value,
          ]),
        ),
      },
    });
  }
}

/** What policies may be attached to that count for this certificate and this thing: itself, the thing's groups, those above. */
export function policyTargets(
  things: Things,
  certificateId: string | undefined,
  thingName: string | undefined,
): string[] {
  const groups = thingName === undefined ? [] : things.groups.members.leftOf(thingName);
  return [
    ...(certificateId === undefined ? [] : [`cert/${certificateId}`]),
    ...groups
      .flatMap((group) => [group, ...things.groups.ancestors(group)])
      .map((group) => `thinggroup/${group}`),
  ];
}
