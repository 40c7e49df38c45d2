import type { Clock, Crypto, Log, Objects, Random } from "@coalmine/ports";
import { classifyAws, fullJitter, isAwsError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Config } from "../config.ts";
import { hash } from "../tracked.ts";
import { untilStopped } from "../within.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { lettersIn } from "./letter-files.ts";

/** Waits between tries are uniform up to this, doubling from the first; there is no last try. */
const RETRY = { firstMs: 1000, maxMs: 300_000 } as const;

/** What of a letter goes into its object's key. */
const Letter = z.object({ rejectedMs: z.number().nonnegative(), eid: z.string() });
/** A line that was torn may stand before the first whole one. */
const LINES_LOOKED_AT = 3;

export interface UploadPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly objects: Objects;
  /** So many letters are in S3. */
  uploaded(letters: number): void;
  failed(): void;
}
type Settings = NonNullable<Config["deadLetters"]>;
type Step = { readonly kind: "sent" | "idle" } | { readonly kind: "failed"; readonly afterMs: number };

/**
 * Puts full files of dead letters to S3, oldest first, one object each. Its key follows from its content, and it goes with
 * If-None-Match, so that whatever is repeated changes nothing. A file is removed when S3 has it; until then it takes its
 * part of the letters' disk.
 */
export class LetterUpload {
  readonly #ports: UploadPorts;
  readonly #letters: DeadLetters;
  readonly #settings: Settings;
  readonly #thing: string;
  /** What was said since S3 last took something. */
  readonly #said = new Set<string>();

  constructor(ports: UploadPorts, letters: DeadLetters, settings: Settings, thing: string) {
    this.#ports = ports;
    this.#letters = letters;
    this.#settings = settings;
    this.#thing = thing;
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    const ageMs = this.#settings.afterMinutes * 60_000;
    let waits = fullJitter(RETRY, random);
    const { changed } = this.#letters;
    signal.addEventListener("abort", () => changed.wake(), { once: true });
    while (!signal.aborted) {
      const step = await this.#next(ageMs, signal);
      if (step.kind === "failed")
        await clock.sleep(Math.max(step.afterMs, waits.next().value), signal).catch(() => undefined);
      else waits = fullJitter(RETRY, random);
      if (step.kind === "idle") await changed.wait(Math.min(ageMs, this.#letters.dueInMs(ageMs)), clock);
    }
  }

  async #next(ageMs: number, signal: AbortSignal): Promise<Step> {
    try {
      const letters = await this.#letters.take(ageMs);
      if (letters === undefined) return { kind: "idle" };
      await this.#put(letters, signal);
      await this.#letters.sent();
      this.#ports.uploaded(lettersIn(letters));
      this.#said.clear();
      return { kind: "sent" };
    } catch (failure) {
      this.#letters.kept();
      if (signal.aborted) return { kind: "idle" };
      this.#ports.failed();
      return { kind: "failed", afterMs: this.#judge(failure) };
    }
  }

  async #put(letters: Uint8Array, signal: AbortSignal): Promise<void> {
    const { objects, crypto, clock } = this.#ports;
    const request = {
      bucket: this.#settings.bucket,
      key: this.#key(letters),
      body: crypto.gzip(letters),
      contentType: "application/gzip",
      ifNoneMatch: true,
    };
    try {
      await untilStopped(objects.put(request), clock, signal);
    } catch (failure) {
      if (classifyAws("s3", failure).kind !== "stored") throw failure;
    }
  }

  /** Of day, thing, first event, number of letters and a digest of them. */
  #key(letters: Uint8Array): string {
    const lines = new TextDecoder().decode(letters).split("\n", LINES_LOOKED_AT);
    const { rejectedMs, eid } = lines.map(letterOf).find((letter) => letter !== undefined) ?? {
      rejectedMs: 0,
      eid: "unreadable",
    };
    const day = new Date(rejectedMs).toISOString().slice(0, 10);
    const name = `${eid}-${lettersIn(letters)}-${hash(letters, this.#ports.crypto)}.jsonl.gz`;
    return `${this.#settings.prefix}/dt=${day}/thing=${this.#thing}/${name}`;
  }

  /** Says once what a person has to do; gives how long the service wants to be left alone. */
  #judge(failure: unknown): number {
    const { log } = this.#ports;
    const answer = classifyAws("s3", failure);
    const reason = messageOf(failure);
    if (answer.kind === "retry" && isAwsError(failure)) {
      log.debug("dead letters will be put to S3 later", { code: answer.code, reason });
      return answer.afterMs;
    }
    const isOnDisk = !isAwsError(failure);
    const code = isOnDisk ? reason : "code" in answer ? answer.code : "";
    if (!this.#said.has(code))
      log.error(
        isOnDisk
          ? "full files of dead letters cannot be read or removed"
          : "S3 refuses the dead letters; they are kept on disk within their limit",
        {
          bucket: this.#settings.bucket,
          reason,
          ...(answer.kind === "blocked" ? { code, remedy: answer.remedy } : {}),
        },
      );
    this.#said.add(code);
    return 0;
  }
}

function letterOf(line: string): z.infer<typeof Letter> | undefined {
  try {
    return Letter.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
