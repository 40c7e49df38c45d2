import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { rootCertificates } from "node:tls";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Proxy } from "@coalmine/site";
import { makeFolder } from "../durable-files.ts";
import { CommissioningRefused } from "../refusal.ts";
import { tunnelBy } from "../tls-probe.ts";

/** AWS's is some 70 MB. */
const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024;
/** Between two parts of it. */
const SILENCE_MS = 30_000;
const OK = 200;

export interface NucleusSettings {
  /** A file of the image, or an address. */
  readonly archive: string;
  /** As it was recorded when somebody tried this archive: whoever serves it is not asked. */
  readonly sha256: string;
}

export interface ArchiveMeans {
  readonly clock: Clock;
  readonly proxy: Proxy | undefined;
  /** Whom to believe beside the world's authorities. */
  readonly rootCaPem: string;
}

/** The archive on this disk, whole and as recorded: where it lies, or at `kept`, where it came from an address. */
export async function nucleusArchive(
  { archive, sha256 }: NucleusSettings,
  kept: string,
  means: ArchiveMeans,
): Promise<string> {
  const url = URL.parse(archive);
  const isAddress = url?.protocol === "https:" || url?.protocol === "http:";
  const path = isAddress ? kept : archive;
  const found = await digestOf(path).catch((failure: unknown) => {
    if (!isMissing(failure)) throw failure;
    if (isAddress) return undefined;
    throw refused(
      `${archive} is not on this device; copy the nucleus's archive there, or name an address`,
      failure,
    );
  });
  if (found === sha256) return path;
  if (!isAddress)
    throw refused(
      `${archive} has the SHA-256 ${found}, recorded is ${sha256}: it is another archive, or a broken one; copy it anew`,
    );
  await download(url, path, means);
  const arrived = await digestOf(path);
  if (arrived === sha256) return path;
  await rm(path);
  throw refused(
    `what ${archive} gives has the SHA-256 ${arrived}, recorded is ${sha256}: somebody on the way changed it, or it is another version; nothing of it was used`,
  );
}

async function download(url: URL, path: string, means: ArchiveMeans): Promise<void> {
  const half = `${path}.part`;
  await makeFolder(dirname(path));
  const answer = await answerOf(url, means);
  const silent = () => answer.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} s`));
  let late = means.clock.timer(SILENCE_MS, silent);
  let bytes = 0;
  answer.on("data", (part: Buffer) => {
    late.cancel();
    bytes += part.length;
    if (bytes > ARCHIVE_BYTES_MAX) answer.destroy(new Error("it is larger than any nucleus"));
    else late = means.clock.timer(SILENCE_MS, silent);
  });
  try {
    await pipeline(answer, createWriteStream(half, { mode: 0o600, flush: true }));
    await rename(half, path);
  } catch (failure) {
    await rm(half, { force: true });
    // The disk's own failures are told as everywhere.
    if (failure instanceof Error && "syscall" in failure && failure.syscall === "write") throw failure;
    throw unreachable(url, `breaks off (${messageOf(failure)})`, failure);
  } finally {
    late.cancel();
  }
}

async function answerOf(url: URL, { clock, proxy, rootCaPem }: ArchiveMeans): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const rootCas = [...rootCertificates, rootCaPem].join("\n");
  const by = isTls
    ? await tunnelBy(proxy, { host: url.hostname, port: Number(url.port || 443), rootCaPem: rootCas }, clock)
    : {};
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = isTls
      ? tlsRequest(url, { ca: rootCas, agent: false, ...by })
      : plainRequest(url, { agent: false });
    const late = clock.timer(SILENCE_MS, () =>
      asked.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)),
    );
    asked.on("response", (response) => {
      late.cancel();
      resolve(response);
    });
    asked.on("error", (failure) => {
      late.cancel();
      reject(unreachable(url, `does not answer (${messageOf(failure)})`, failure));
    });
    asked.end();
  });
  if (answer.statusCode === OK) return answer;
  answer.destroy();
  throw unreachable(url, `answers ${answer.statusCode}`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function unreachable({ href, host }: URL, what: string, cause?: unknown): CommissioningRefused {
  return new CommissioningRefused(
    "unreachable",
    `${href} ${what}; let the device reach ${host}, or lay the archive on the image, and go on`,
    { cause },
  );
}

function refused(sentence: string, cause?: unknown): CommissioningRefused {
  return new CommissioningRefused("nucleus", sentence, { cause });
}

function isMissing(failure: unknown): boolean {
  return failure instanceof Error && "code" in failure && failure.code === "ENOENT";
}
