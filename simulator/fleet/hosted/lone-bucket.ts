import type { Clock, Objects, Random } from "@coalmine/ports";
import { S3Service } from "../../cloud/s3/s3-service.ts";
import { CloudEvents, ServiceError, type Caller, type Input } from "../../cloud/service.ts";
import { memoryStore } from "../../cloud/store/memory-store.ts";
import { awsCalls, awsPorts } from "./aws-calls.ts";

const place = { region: "us-east-1", accountId: "123456789012" };
const caller: Caller = {
  identity: { kind: "account", principalArn: `arn:aws:iam::${place.accountId}:root` },
};
const REQUEST_MS = 60;

/** One bucket of the simulated S3 for a lone component, behind a line that may fail. */
export class LoneBucket {
  readonly name = "letters";
  readonly objects: Objects;
  /** The keys of all requests that S3 was asked. */
  readonly askedKeys: string[] = [];
  isOnline = true;
  /** Whether the next request's answer is lost. */
  losesReply = (): boolean => false;
  /** What S3 refuses by, if anything. */
  refuses: () => { readonly code: string; readonly statusCode: number } | undefined = () => undefined;
  readonly #service: S3Service;

  constructor(clock: Clock, random: Random) {
    this.#service = new S3Service({ store: memoryStore(), clock, random, place, events: new CloudEvents() });
    const calls = awsCalls(
      (_service, operation, input) => this.#ask(operation, input),
      () => Promise.resolve(caller),
      () => this.isOnline,
      () => clock.sleep(REQUEST_MS),
    );
    const { objects } = awsPorts(
      async (service, operation, input) => {
        const isLost = this.losesReply();
        const answer = await calls(service, operation, input);
        if (isLost) throw Object.assign(new Error("no answer"), { name: "AwsError", code: "NetworkError" });
        return answer;
      },
      () => clock.now(),
    );
    this.objects = objects;
  }

  async create(): Promise<void> {
    await this.#run("CreateBucket", { Bucket: this.name });
  }

  /** Every object by its key. */
  async contents(): Promise<ReadonlyMap<string, Uint8Array>> {
    const { Contents = [] }: { Contents?: { Key: string }[] } = await this.#run("ListObjectsV2", {
      Bucket: this.name,
    });
    const found = new Map<string, Uint8Array>();
    for (const { Key } of Contents)
      found.set(Key, (await this.#service.readObject(this.name, Key)) ?? new Uint8Array(0));
    return found;
  }

  async #ask(operation: string, input: Input): Promise<object> {
    this.askedKeys.push(String(input.Key));
    const refusal = this.refuses();
    if (refusal !== undefined) throw new ServiceError(refusal.code, refusal.statusCode, refusal.code);
    return this.#run(operation, input);
  }

  async #run(operation: string, input: Input): Promise<object> {
    const run = this.#service.operations[operation];
    if (run === undefined) throw new Error(`S3 has no operation ${operation}`);
    return run(input, caller);
  }
}
