import type { Instant } from "@coalmine/ports";

/**
 * The shape that every simulated AWS service has. An operation takes the parsed input of the SDK's own schema and
 * returns its output; a refusal is a `ServiceError`. The same function serves HTTP and in-process callers.
 */
export interface Service {
  /** The name that SigV4 credential scopes carry: `s3`, `greengrass`, `iot`, `iotdata`, `logs`, `dynamodb`, … */
  readonly signingName: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

export type Operation = (input: Input, caller: Caller) => Promise<Output> | Output;
// oxlint-disable-next-line typescript/no-explicit-any -- the SDK's schema gives the shape; each service narrows it.
export type Input = any;
export type Output = object;

/** Who calls, after authentication at the door. */
export interface Caller {
  /** The account's own operator, a device's token-exchange role, or a device by its certificate. */
  readonly identity:
    | { readonly kind: "account"; readonly principalArn: string }
    | { readonly kind: "role"; readonly roleArn: string; readonly thingName: string }
    | { readonly kind: "device"; readonly thingName: string | undefined; readonly certificateId: string };
}

/** A modelled error of a service: the SDK client throws the exception of that name. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** The shape's name, e.g. `ResourceNotFoundException`. */
  readonly code: string;
  readonly statusCode: number;
  /** The shape's other members. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    statusCode: number,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    this.fields = fields;
  }
}

/** Where a cloud is, in AWS's own terms. */
export interface Place {
  readonly region: string;
  readonly accountId: string;
}

/** What happened inside, told to the other services of the same cloud in order; never lost within a process. */
export type CloudEvent =
  | {
      readonly kind: "group-membership";
      readonly thingName: string;
      readonly thingGroupName: string;
      readonly member: boolean;
      readonly at: Instant;
    }
  | {
      /** It was created, changed or deleted in the registry. */
      readonly kind: "thing-changed";
      readonly thingName: string;
      readonly at: Instant;
    }
  | {
      readonly kind: "job-execution";
      readonly jobId: string;
      readonly thingName: string;
      readonly status: string;
      readonly statusDetails: Readonly<Record<string, string>>;
      readonly at: Instant;
    }
  | {
      readonly kind: "mqtt-connection";
      readonly clientId: string;
      readonly thingName: string | undefined;
      readonly connected: boolean;
      readonly reason: string;
      readonly at: Instant;
    }
  | {
      readonly kind: "mqtt-message";
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly clientId: string;
      readonly at: Instant;
    }
  | {
      readonly kind: "shadow-changed";
      readonly thingName: string;
      readonly shadowName: string | undefined;
      /** All that is reported now, where this change reported something. */
      readonly reported: unknown;
      readonly version: number;
      readonly at: Instant;
    }
  | {
      /** What EventBridge tells of, in AWS's own shape. */
      readonly kind: "aws-event";
      readonly source: `aws.${string}`;
      readonly detailType: string;
      readonly resources: readonly string[];
      readonly detail: object;
      readonly at: Instant;
    };

/** Publish and subscribe among the services of one cloud; synchronous, in order of subscription. */
export class CloudEvents {
  readonly #listeners: ((event: CloudEvent) => void)[] = [];
  on(listener: (event: CloudEvent) => void): void {
    this.#listeners.push(listener);
  }
  emit(event: CloudEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
