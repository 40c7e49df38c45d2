import type { Clock, CloudLogs, Crypto, Log, Random } from "@coalmine/ports";
import type { ClockWatch } from "./clock/clock-watch.ts";
import type { Config, LogSource } from "./config.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import type { LocalTopic } from "./local-topic.ts";
import type { Positions } from "./positions.ts";
import type { Target } from "./put-batch.ts";
import type { Redactor } from "./redactor.ts";
import type { RequestRate } from "./request-rate.ts";
import type { ServerTime } from "./server-time.ts";
import type { Tally } from "./tally.ts";

/** What all sources share. */
export interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly cloudLogs: CloudLogs;
  readonly config: Config;
  readonly redactor: Redactor;
  readonly positions: Positions;
  readonly deadLetters: DeadLetters;
  readonly serverTime: ServerTime;
  readonly rate: RequestRate;
  readonly clockWatch: ClockWatch;
  readonly tally: Tally;
  readonly localTopic: LocalTopic | undefined;
  target(source: LogSource, date: string): Target;
}
