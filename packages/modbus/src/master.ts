import type { Clock, Link } from "@coalmine/ports";
import type { ReadRequest, Reply } from "./request.ts";
import { RtuMaster } from "./rtu-master.ts";
import { TcpMaster } from "./tcp-master.ts";

/** What came of a request. Times are of the monotonic clock: when it left, and when its answer was there whole. */
export type Outcome =
  | (Reply & { readonly askedMs: number; readonly heardMs: number })
  /** Nothing came in time; something came whose checksum is wrong; the link went. */
  | { readonly kind: "no-reply"; readonly why: "silent" | "damaged" | "closed" };

/** How a line and its slaves want to be treated. */
export interface Manners {
  readonly timeoutMs: number;
  /** After the link opened, before the first request: a gateway or a slave that starts then. */
  readonly pauseAfterConnectMs: number;
  /** Between an answer and the next request, beside the silence that RTU itself asks for. */
  readonly pauseBetweenRequestsMs: number;
  /** RTU's 3.5 characters. */
  readonly silenceMs: number;
  /** RTU: whether slaves may be asked for a diagnostic echo (function 8). */
  readonly diagnostics: boolean;
  /**
   * No answer comes later than this after its request. Counts for slaves that answer no diagnostic: of the
   * others every late answer is told apart however late it is.
   */
  readonly lateReplyMaxMs: number;
}

export interface MasterCounts {
  readonly requests: number;
  /** Whole answers to a request that had been given up. */
  readonly lateReplies: number;
}

/** One end of a line with slaves on it. Requests wait for each other; `read` never rejects. */
export interface ModbusMaster {
  readonly counts: MasterCounts;
  read(request: ReadRequest): Promise<Outcome>;
  /** Why the link closed, once it has. */
  readonly ended: string | undefined;
  onEnd(ended: () => void): void;
  close(why?: string): Promise<void>;
}

/** Takes the link's handlers; the link must be just opened. */
export function modbusMaster(
  framing: "rtu" | "tcp",
  link: Link,
  clock: Clock,
  manners: Manners,
): ModbusMaster {
  return framing === "rtu" ? new RtuMaster(link, clock, manners) : new TcpMaster(link, clock, manners);
}
