import type { AwsError, Clock, CloudLogs, LogEvent, Random } from "@coalmine/ports";

export interface Stored {
  readonly message: string;
  readonly timestampMs: number;
  readonly put: Put;
}
/** One request that the service took. `answeredMs` is there once its answer reached the component. */
export interface Put {
  readonly stream: string;
  readonly sentMs: number;
  answeredMs: number | undefined;
}

/** What a request may meet, by chance. */
export interface Weather {
  throttled: number;
  lostReply: number;
  isOnline: boolean;
}

/** The rules of the service: which events of a batch it keeps. Throws for a batch that breaks one. */
export type Rules = (
  events: readonly { readonly timestamp: number; readonly message: string }[],
  nowMs: number,
) => {
  readonly kept: readonly unknown[];
  readonly rejected:
    | {
        readonly tooNewLogEventStartIndex?: number;
        readonly tooOldLogEventEndIndex?: number;
        readonly expiredLogEventEndIndex?: number;
      }
    | undefined;
};

/** What one run of the component was told. */
export interface Session {
  isAlive(): boolean;
  failures: number;
  accepted: number;
  rejected: number;
}

/** A CloudWatch Logs behind a bad line: it keeps to its rules, and loses requests and answers. */
export class UnsteadyCloud {
  readonly stored: Stored[] = [];
  readonly groups = new Set<string>();
  readonly #streams = new Set<string>();
  readonly retention = new Map<string, number>();
  /** When PutLogEvents was asked, whatever came of it. */
  readonly putsMs: number[] = [];
  readonly weather: Weather = { throttled: 0, lostReply: 0, isOnline: true };
  /** What broke a rule; must stay empty. */
  readonly violations: string[] = [];
  /** The code by which requests to a stream are refused, if any. */
  refuses: (stream: string) => string | undefined = () => undefined;
  /** Events for which a whole batch is refused for good. */
  refusesEvent: (message: string) => boolean = () => false;
  /** Requests that are never answered. */
  isSilent = false;
  readonly #clock: Pick<Clock, "now" | "sleep">;
  readonly #random: Random;
  readonly #rules: Rules;

  constructor(clock: Pick<Clock, "now" | "sleep">, random: Random, rules: Rules) {
    this.#clock = clock;
    this.#random = random;
    this.#rules = rules;
  }

  /** The service as one run of the component has it. */
  session(session: Session): CloudLogs {
    return {
      createLogGroup: async (group) => {
        await this.#way(session);
        if (this.groups.has(group)) throw awsError("ResourceAlreadyExistsException");
        this.groups.add(group);
      },
      putRetentionPolicy: async (group, days) => {
        await this.#way(session);
        this.retention.set(group, days);
      },
      createLogStream: async (group, stream) => {
        await this.#way(session);
        if (!this.groups.has(group)) throw awsError("ResourceNotFoundException");
        this.#streams.add(`${group}|${stream}`);
      },
      putLogEvents: (group, stream, events) => this.#put(session, group, stream, events),
    };
  }

  async #put(
    session: Session,
    group: string,
    stream: string,
    events: readonly LogEvent[],
  ): ReturnType<CloudLogs["putLogEvents"]> {
    const sentMs = this.#clock.now();
    this.putsMs.push(sentMs);
    await this.#way(session);
    const refusal = this.refuses(stream);
    if (refusal !== undefined) throw told(session, refusal);
    if (events.some(({ message }) => this.refusesEvent(message))) throw awsError("InvalidParameterException");
    if (this.isSilent) await new Promise(() => undefined);
    if (this.#random.next() < this.weather.throttled) throw told(session, "ThrottlingException");
    if (!this.#streams.has(`${group}|${stream}`)) throw awsError("ResourceNotFoundException");
    let answer: ReturnType<Rules>;
    try {
      answer = this.#rules(
        events.map(({ timestampMs, message }) => ({ timestamp: timestampMs, message })),
        this.#clock.now(),
      );
    } catch (broken) {
      this.violations.push(String(broken));
      throw told(session, "InvalidParameterException");
    }
    const put: Put = { stream, sentMs, answeredMs: undefined };
    const { tooNewLogEventStartIndex, tooOldLogEventEndIndex, expiredLogEventEndIndex } =
      answer.rejected ?? {};
    const from = Math.max(tooOldLogEventEndIndex ?? 0, expiredLogEventEndIndex ?? 0);
    const kept = events.slice(from, Math.max(from, tooNewLogEventStartIndex ?? events.length));
    for (const { message, timestampMs } of kept) this.stored.push({ message, timestampMs, put });
    const isLost = this.#random.next() < this.weather.lostReply;
    await this.#clock.sleep(20 + this.#random.next() * 100);
    if (isLost || !this.weather.isOnline) throw told(session, "NetworkError");
    // A process that died is not told any more.
    if (session.isAlive()) {
      put.answeredMs = this.#clock.now();
      session.accepted += kept.length;
      session.rejected += events.length - kept.length;
    }
    return {
      ...(tooNewLogEventStartIndex === undefined ? {} : { tooNewStartIndex: tooNewLogEventStartIndex }),
      ...(tooOldLogEventEndIndex === undefined ? {} : { tooOldEndIndex: tooOldLogEventEndIndex }),
      ...(expiredLogEventEndIndex === undefined ? {} : { expiredEndIndex: expiredLogEventEndIndex }),
      serverTimeMs: Math.floor(this.#clock.now() / 1000) * 1000,
    };
  }

  async #way(session: Session): Promise<void> {
    await this.#clock.sleep(5 + this.#random.next() * 50);
    if (!this.weather.isOnline) throw told(session, "NetworkError");
  }
}

function told(session: Session, code: string): AwsError {
  if (session.isAlive()) session.failures++;
  return awsError(code);
}

export function awsError(code: string): AwsError {
  return Object.assign(new Error(code), { name: "AwsError" as const, code, statusCode: 400 });
}
