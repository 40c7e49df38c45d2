import type { Clock } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { BareClient } from "../broker/client.ts";
import { linkPair } from "../broker/link-pair.ts";
import { CertificateAuthority } from "../identity/certificate-authority.ts";
import type { PreProvisioningHook } from "../identity/provisioning.ts";
import { type Caller, type CloudEvent, CloudEvents, type Input } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import { iotParts } from "./iot-parts.ts";

/** IoT and identity alone, on a driven clock with in-memory links: for the tests of these folders. */
export async function iotRig(
  options: { readonly hook?: PreProvisioningHook; readonly wallClock?: Clock } = {},
) {
  const clock = new DrivenClock(1_800_000_000_000, () => new Promise((done) => setImmediate(done)));
  const wallClock = options.wallClock ?? clock;
  const place = { region: "us-east-1", accountId: "123456789012" };
  const store = memoryStore();
  const authority = await CertificateAuthority.open({
    random: new SeededRandom("ca"),
    wallClock,
  });
  const told: CloudEvent[] = [];
  const operator: Caller = {
    identity: { kind: "account", principalArn: "arn:aws:iam::123456789012:user/operator" },
  };
  const start = () => {
    const events = new CloudEvents();
    events.on((event) => told.push(event));
    const base = { place, clock, wallClock, random: new SeededRandom("iot"), store, log: silentLog, events };
    const endpoints = { data: () => "localhost", credentials: () => "localhost:1" };
    return iotParts(base, { authority, endpoints, hook: options.hook });
  };
  let parts = start();
  const call = async (operation: string, input: Input = {}) => {
    const run = parts.services.find((service) => operation in service.operations)?.operations[operation];
    if (run === undefined) throw new Error(`no operation ${operation}`);
    const output: Input = await run(input, operator);
    return output;
  };
  return {
    clock,
    told,
    authority,
    place,
    get parts() {
      return parts;
    },
    /** Another process on the same state. */
    restart: () => {
      parts.broker.close();
      parts = start();
    },
    call,
    /** A device in this process: a thing, a principal and a policy. */
    device: async (thingName: string, policyDocument: object = everything) => {
      const policyName = `policy-${thingName}`;
      parts.iot.things.createThing(thingName);
      const { certificateId } = parts.iot.certificates.registerInProcess(thingName);
      parts.iot.things.principals.add(thingName, certificateId);
      if (parts.iot.policies.policies.get(policyName) === undefined)
        parts.iot.policies.create(policyName, JSON.stringify(policyDocument));
      parts.iot.policies.attached.add(policyName, `cert/${certificateId}`);
      await clock.settle();
      return certificateId;
    },
    connect: async (clientId: string, certificateId: string, thingName?: string) => {
      const [here, there] = linkPair();
      parts.broker.accept(there, { certificateId, thingName, kind: "in-process" });
      const client = new BareClient(here);
      client.connect(clientId, { clean: false, properties: { sessionExpiryInterval: 604_800 } });
      await clock.settle();
      return client;
    },
  };
}

export const everything = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
};
