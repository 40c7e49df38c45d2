import type { CarriedProperties } from "./message.ts";
import type { Peer } from "./peer.ts";

/** A message from a client to one of AWS's own topics. */
export interface Request {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: CarriedProperties;
  readonly peer: Peer;
  readonly clientId: string;
}
/** Answers by `broker.publish`. It throws nothing: what it throws ends the connection. */
export type RequestHandler = (request: Request) => void;
