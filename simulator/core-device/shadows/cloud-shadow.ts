import type { Clock, JsonObject } from "@coalmine/ports";
import * as z from "zod";
import type { CloudSession } from "../cloud/session.ts";
import { parseJson } from "../json.ts";
import { topicOf } from "./shadow-manager.ts";
import type { ShadowId } from "./shadow-requests.ts";

/** An answer is waited for so long. */
const ANSWER_MS = 30_000;

const Section = z.record(z.string(), z.json());
const Message = z.object({
  version: z.number().optional(),
  code: z.number().optional(),
  message: z.string().optional(),
  clientToken: z.string().optional(),
  state: z.object({ desired: Section.optional(), reported: Section.optional() }).optional().catch(undefined),
});
type Message = z.infer<typeof Message>;

export interface CloudState {
  readonly version: number;
  readonly desired: JsonObject | undefined;
  readonly reported: JsonObject | undefined;
}

/** The cloud said no; 404 where it has no such shadow, 409 where it has another version. */
export class CloudShadowRefusal extends Error {
  override readonly name = "CloudShadowRefusal";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** One shadow as IoT Core has it, asked over the device's own connection. */
export class CloudShadow {
  readonly #topic: string;
  readonly #session: CloudSession;
  readonly #clock: Clock;
  readonly #mark: string;
  readonly #waiting = new Map<string, (message: Message) => void>();
  readonly #subscriptions: { close(): Promise<void> }[] = [];
  #asked = 0;

  /** `changed` is told that somebody else changed or deleted the shadow in the cloud. */
  constructor(id: ShadowId, session: CloudSession, clock: Clock, mark: string, changed: () => void) {
    this.#topic = topicOf(id);
    this.#session = session;
    this.#clock = clock;
    this.#mark = mark;
    for (const ending of ["accepted", "rejected"])
      this.#subscriptions.push(
        session.want(`${this.#topic}/+/${ending}`, (topic, payload) => {
          const read = Message.safeParse(parseJson(new TextDecoder().decode(payload)));
          if (!read.success) return;
          const answer = this.#waiting.get(read.data.clientToken ?? "");
          if (answer !== undefined) answer(read.data);
          else if (/\/(update|delete)\/accepted$/.test(topic)) changed();
        }),
      );
  }

  async close(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
  }

  /** Undefined where the cloud has none. */
  async get(): Promise<CloudState | undefined> {
    try {
      const { version = 0, state } = await this.#ask("get", {});
      return { version, desired: state?.desired, reported: state?.reported };
    } catch (failure) {
      if (failure instanceof CloudShadowRefusal && failure.code === 404) return undefined;
      throw failure;
    }
  }

  /** Changes the shadow if it still has `version`; gives its new one. */
  async update(state: JsonObject, version: number | undefined): Promise<number> {
    const answer = await this.#ask("update", { state, ...(version === undefined ? {} : { version }) });
    return answer.version ?? 0;
  }

  async delete(): Promise<void> {
    await this.#ask("delete", {});
  }

  async #ask(verb: string, request: JsonObject): Promise<Message> {
    const clientToken = `${this.#mark}-${++this.#asked}`;
    const answered = new Promise<Message | undefined>((resolve) => {
      const timer = this.#clock.timer(ANSWER_MS, () => resolve(undefined));
      this.#waiting.set(clientToken, (message) => {
        timer.cancel();
        resolve(message);
      });
    });
    try {
      await this.#session.publish(`${this.#topic}/${verb}`, JSON.stringify({ ...request, clientToken }));
      const message = await answered;
      if (message === undefined) throw new Error(`the cloud did not answer ${verb} of ${this.#topic}`);
      if (message.code !== undefined)
        throw new CloudShadowRefusal(message.code, message.message ?? "refused");
      return message;
    } finally {
      this.#waiting.get(clientToken)?.({});
      this.#waiting.delete(clientToken);
    }
  }
}
