import type { Clock, Random } from "@coalmine/ports";
import * as z from "zod";
import { type CloudEvents, type Operation, type Place, type Service, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { certificateOperations, type Issuer } from "./certificate-operations.ts";
import { Certificates } from "./certificates.ts";
import { invalid, operation } from "./operation.ts";
import { Permissions } from "./permissions.ts";
import { policyOperations } from "./policy-operations.ts";
import { Policies } from "./policies.ts";
import { RoleAliases } from "./role-aliases.ts";
import { Templates } from "./templates.ts";
import { thingOperations } from "./thing-operations.ts";
import { thingTypeOperations } from "./thing-type-operations.ts";
import { Things } from "./things.ts";

/** Where devices reach this cloud: `host` or `host:port`. Asked at each call, since ports are known late. */
export interface Endpoints {
  readonly data: () => string;
  readonly credentials: () => string;
}

export interface IotOptions {
  readonly place: Place;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: CloudEvents;
  readonly issuer: Issuer;
  readonly endpoints: Endpoints;
}

/** AWS IoT's registry, certificates and policies: the parts, and the operations on them. */
export class Iot {
  readonly things: Things;
  readonly certificates: Certificates;
  readonly policies: Policies;
  readonly roleAliases: RoleAliases;
  readonly templates: Templates;
  readonly permissions: Permissions;
  readonly #options: IotOptions;

  constructor(options: IotOptions) {
    this.#options = options;
    const parts = { ...options, changed: () => this.permissions.forget() };
    this.things = new Things(parts);
    this.certificates = new Certificates(parts);
    this.policies = new Policies(parts);
    this.roleAliases = new RoleAliases(options);
    this.templates = new Templates(options);
    this.permissions = new Permissions(this.certificates, this.policies, this.things);
  }

  /** The service `iot`. `others` are the operations of jobs and rules, which belong to the same service. */
  service(others: Readonly<Record<string, Operation>> = {}): Service {
    const { store, issuer, endpoints } = this.#options;
    return {
      signingName: "iot",
      operations: {
        ...thingOperations(this.things),
        ...thingTypeOperations(this.things, this.#options.clock),
        ...certificateOperations(this.certificates, this.things, this.policies, issuer),
        ...policyOperations(this.policies, this.certificates, this.things),
        ...this.roleAliases.operations(),
        ...this.templates.operations(),
        ...eventConfigurations(store.table("iot-event-configurations")),
        ...loggingOptions(store.table("iot-logging-options")),
        DescribeEndpoint: describeEndpoint(endpoints),
        ...others,
      },
    };
  }
}

function describeEndpoint(endpoints: Endpoints): Operation {
  return operation(z.object({ endpointType: z.string().nullish() }), ({ endpointType }) => {
    switch (endpointType ?? "iot:Data") {
      case "iot:Data":
      case "iot:Data-ATS":
      case "iot:Jobs":
        return { endpointAddress: endpoints.data() };
      case "iot:CredentialProvider":
        return { endpointAddress: endpoints.credentials() };
      default:
        throw invalid(`The endpoint type ${endpointType} is not simulated.`);
    }
  });
}

type Configurations = Record<string, { readonly Enabled: boolean }>;

/** Kept and told; the events themselves always happen here. */
function eventConfigurations(table: Table<Configurations>): Record<string, Operation> {
  return {
    DescribeEventConfigurations: () => ({ eventConfigurations: table.get("all") ?? {} }),
    UpdateEventConfigurations: operation(
      z.object({
        eventConfigurations: z
          .record(z.string(), z.object({ Enabled: z.boolean().default(false) }))
          .nullish(),
      }),
      (input) => {
        table.set("all", { ...table.get("all"), ...input.eventConfigurations });
        return {};
      },
    ),
  };
}

const LoggingOptions = z.object({
  roleArn: z.string().nullish(),
  defaultLogLevel: z.enum(["DEBUG", "INFO", "ERROR", "WARN", "DISABLED"]).nullish(),
  disableAllLogs: z.boolean().nullish(),
});

/** Kept and told; nothing is logged by this cloud itself. */
function loggingOptions(table: Table<z.infer<typeof LoggingOptions>>): Record<string, Operation> {
  return {
    GetV2LoggingOptions: () => {
      const kept = table.get("all");
      if (kept === undefined)
        throw new ServiceError("NotConfiguredException", 404, "Logging is not configured.");
      return kept;
    },
    SetV2LoggingOptions: operation(LoggingOptions, (input) => {
      table.set("all", { disableAllLogs: false, ...table.get("all"), ...input });
      return {};
    }),
  };
}
