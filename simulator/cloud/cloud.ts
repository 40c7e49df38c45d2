import type { Clock, Log, Random } from "@coalmine/ports";
import { authorizeByKind } from "./authorize.ts";
import { CloudWatchService } from "./cloudwatch/cloudwatch-service.ts";
import { Faults } from "./control/faults.ts";
import { DynamoDbService } from "./dynamodb/dynamodb-service.ts";
import { EventBridgeService } from "./eventbridge/eventbridge-service.ts";
import { FirehoseService } from "./firehose/firehose-service.ts";
import { Functions, type CloudFunctions } from "./functions.ts";
import { GlueService } from "./glue/glue-service.ts";
import {
  dataPlaneOperations,
  type DeviceIdentity,
  GreengrassDataPlane,
  type MayCall,
} from "./greengrass/data-plane.ts";
import { GreengrassService } from "./greengrass/greengrass-service.ts";
import type {
  JobsForDeployments,
  RegistryForDeployments,
  ShadowsForDeployments,
} from "./greengrass/jobs-port.ts";
import type { DeviceMay } from "./iot/device-may.ts";
import { KinesisService } from "./kinesis/kinesis-service.ts";
import { LogsService } from "./logs/logs-service.ts";
import { Operations } from "./operations.ts";
import { Authenticator, type KnownCredentials, type ResolveCredentials } from "./protocol/authenticate.ts";
import { AwsDoor } from "./protocol/aws-door.ts";
import type { HttpRequest, HttpResponse } from "./protocol/http.ts";
import { listen, type Listening, type ListenOptions } from "./protocol/http-server.ts";
import { stsService } from "./protocol/sts.ts";
import { presignGet } from "./s3/presign.ts";
import { s3Door } from "./s3/s3-door.ts";
import { S3Service } from "./s3/s3-service.ts";
import { serviceQuotas } from "./servicequotas/quotas-service.ts";
import type { PostToEndpoint } from "./sns/http-endpoint.ts";
import { SnsService } from "./sns/sns-service.ts";
import { SecretsService } from "./secretsmanager/secrets-service.ts";
import { memoryVault, type Vault } from "./secretsmanager/vault.ts";
import { CloudEvents, type Caller, type Input, type Output, type Place, type Service } from "./service.ts";
import { SessionCredentials } from "./session-credentials.ts";
import type { Store } from "./store/store.ts";

/** What every part of one cloud shares. */
export interface CloudBase {
  readonly place: Place;
  readonly clock: Clock;
  /** For what SDKs and TLS stacks check, who know no other clock. */
  readonly wallClock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly log: Log;
  readonly events: CloudEvents;
  readonly faults: Faults;
  /** Any operation of the same cloud, as its operator; once the cloud is composed. */
  readonly invoke: (service: string, operation: string, input: Input) => Promise<Output>;
  readonly functions: Functions;
}

/** IoT and identity: the registry, jobs, shadows and what the credentials provider has issued. */
export interface IotParts {
  /** `iot`, `iotdata`, … */
  readonly services: readonly Service[];
  readonly registry: RegistryForDeployments;
  readonly jobs: JobsForDeployments;
  readonly shadows: ShadowsForDeployments;
  readonly resolveCredentials: ResolveCredentials;
  readonly mayCall: MayCall;
  readonly deviceMay: DeviceMay;
  /** Ends what keeps the process alive. */
  stop(): void;
}

export interface CloudOptions<Iot extends IotParts> extends Omit<
  CloudBase,
  "events" | "faults" | "invoke" | "functions"
> {
  /** The account's operator. Of no use anywhere else. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly iot: (base: CloudBase) => Iot;
  /** What stands in for AWS Lambda, by name. */
  readonly functions?: CloudFunctions;
  /** What seals secrets; without it they live as long as the process. */
  readonly vault?: Vault;
  /** How SNS reaches HTTP endpoints; without it none may subscribe. */
  readonly postToEndpoint?: PostToEndpoint;
  /** Services beyond those that every cloud has, e.g. CodePipeline. */
  readonly more?: (base: CloudBase) => readonly Service[];
}

/** One region of one account: services, one clock, one state. */
export class Cloud<Iot extends IotParts = IotParts> {
  readonly services: ReadonlyMap<string, Service>;
  readonly events = new CloudEvents();
  readonly greengrass: GreengrassService;
  readonly dataPlane: GreengrassDataPlane;
  readonly operator: Caller;
  /** What is broken on purpose, for tests and scenarios. */
  readonly faults: Faults;
  readonly iot: Iot;
  readonly #cloudWatch: CloudWatchService;
  readonly #eventBridge: EventBridgeService;
  readonly #firehose: FirehoseService;
  readonly #sns: SnsService;
  readonly #operations: Operations;
  readonly #door: AwsDoor;
  readonly #store: Store;
  #endpoint: string | undefined;

  constructor(options: CloudOptions<Iot>) {
    const { place, clock, wallClock, random, store, log, credentials } = options;
    this.faults = new Faults({ clock, random });
    const { events, faults } = this;
    const base: CloudBase = {
      place,
      clock,
      wallClock,
      random,
      store,
      log,
      events,
      faults,
      invoke: (service, operation, input) => this.invoke(service, operation, input),
      functions: new Functions(options.functions ?? {}, clock),
    };
    this.#store = store;
    this.operator = {
      identity: { kind: "account", principalArn: `arn:aws:iam::${place.accountId}:user/operator` },
    };
    const sessions = new SessionCredentials(store, clock, random);
    const iot = options.iot(base);
    this.iot = iot;
    const s3 = new S3Service(base);
    this.greengrass = new GreengrassService({
      ...base,
      jobs: iot.jobs,
      shadows: iot.shadows,
      registry: iot.registry,
      readObject: (bucket, key) => s3.readObject(bucket, key),
      writeObject: (bucket, key, bytes) => s3.writeObject(bucket, key, bytes),
    });
    this.dataPlane = new GreengrassDataPlane({
      components: this.greengrass.components,
      deployments: this.greengrass.deployments,
      registry: iot.registry,
      mayCall: iot.mayCall,
      presign: (bucket, key) =>
        presignGet({
          endpoint: this.endpoint,
          region: place.region,
          bucket,
          key,
          expiresSeconds: 3600,
          now: wallClock.now(),
          credentials,
        }),
    });
    const sts = stsService(place.accountId, (roleArn, sessionName, seconds) => {
      const arn = `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${sessionName}`;
      return { ...sessions.issue(arn, seconds), expiration: new Date(wallClock.now() + seconds * 1000) };
    });
    const glue = new GlueService(base);
    this.#firehose = new FirehoseService({
      ...base,
      columnsOf: (databaseName, tableName) => glue.columnsOf(databaseName, tableName),
      writeObject: (bucket, key, bytes) => s3.writeObject(bucket, key, bytes),
    });
    this.#cloudWatch = new CloudWatchService(base);
    this.#eventBridge = new EventBridgeService(base);
    this.#sns = new SnsService({ ...base, post: options.postToEndpoint });
    const services = [
      s3,
      sts,
      this.greengrass,
      new LogsService({ ...base, onLines: (lines) => this.#cloudWatch.takeLogLines(lines) }),
      this.#cloudWatch,
      this.#eventBridge,
      new SecretsService({ ...base, vault: options.vault ?? memoryVault() }),
      this.#sns,
      new DynamoDbService(base),
      serviceQuotas(place),
      new KinesisService(base),
      this.#firehose,
      glue,
      ...iot.services,
      ...(options.more?.(base) ?? []),
    ];
    this.services = new Map(services.map((service) => [service.signingName, service]));
    this.#operations = new Operations(services, store, authorizeByKind(iot.deviceMay), faults);
    const known: KnownCredentials = { secretAccessKey: credentials.secretAccessKey, caller: this.operator };
    this.#door = new AwsDoor({
      operations: this.#operations,
      authenticator: new Authenticator({
        resolveCredentials: (id) =>
          id === credentials.accessKeyId ? known : (sessions.resolve(id) ?? iot.resolveCredentials(id)),
        region: place.region,
        clock,
        wallClock,
      }),
      objectDoor: s3Door,
      random,
      log,
    });
  }

  /** What can be named in a fault: services by their signing names, and the two that have none. */
  operationsOf(service: string): readonly string[] | undefined {
    if (service === "mqtt") return ["Publish", "Subscribe"];
    if (service === "credentials") return ["AssumeRoleWithCertificate"];
    const found = this.services.get(service);
    if (found === undefined) return undefined;
    return [...Object.keys(found.operations), ...(service === "greengrass" ? dataPlaneOperations : [])];
  }

  hasThing(thingName: string): boolean {
    return this.iot.registry.hasThing(thingName);
  }

  /** Where SDKs find it. Only a cloud that listens has pre-signed URLs to give. */
  get endpoint(): string {
    return this.#endpoint ?? "http://127.0.0.1:0";
  }

  /** For callers in the same process: the same services, the same refusals, durable when it resolves. */
  invoke(service: string, operation: string, input: Input, caller: Caller = this.operator): Promise<Output> {
    return this.#operations.invoke(service, operation, input, caller);
  }

  /** The network door as a function. */
  handle(request: HttpRequest): Promise<HttpResponse> {
    return this.#door.handle(request);
  }

  /** What a device asks by its certificate of a service that others ask by a signature. */
  handleDevice(service: string, request: HttpRequest, device: DeviceIdentity): Promise<HttpResponse> {
    return this.#door.handleAs({ identity: { kind: "device", ...device } }, service, request);
  }

  async listen(options: ListenOptions): Promise<Listening> {
    const listening = await listen((request) => this.handle(request), options);
    this.servesAt(listening.endpoint);
    return listening;
  }

  /** Said by whoever opened the door: pre-signed URLs begin with it. */
  servesAt(endpoint: string): void {
    this.#endpoint = endpoint;
  }

  /** Stops what the cloud itself started; doors are closed by whoever opened them. */
  async stop(): Promise<void> {
    this.greengrass.stop();
    this.#firehose.stop();
    this.#cloudWatch.stop();
    this.#sns.stop();
    this.#eventBridge.stop();
    this.iot.stop();
    await this.#store.commit();
  }
}
