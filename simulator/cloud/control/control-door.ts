import { createHash, timingSafeEqual } from "node:crypto";
import { messageOf } from "@coalmine/runtime";
import { ServiceError } from "../service.ts";
import type { HttpRequest, HttpResponse } from "../protocol/http.ts";
import { isObject, parseJsonBody, ShapeError } from "../protocol/json-shape.ts";

/** A command of the control API: JSON in, JSON out. What AWS has no call for: faults, and driving the clock. */
export type ControlCommand = (input: Readonly<Record<string, unknown>>) => Promise<object> | object;

const BODY_BYTES_MAX = 1024 * 1024;

/** `POST /control/<name>`, for whoever has the token. It is no part of AWS, and nothing on a device may know it. */
export class ControlDoor {
  readonly #commands = new Map<string, ControlCommand>();
  readonly #tokenHash: Buffer;

  constructor(token: string) {
    this.#tokenHash = hash(token);
    this.add("list", () => ({ commands: [...this.#commands.keys()].sort() }));
  }

  add(name: string, command: ControlCommand): void {
    this.#commands.set(name, command);
  }

  owns(request: HttpRequest): boolean {
    return request.rawPath.startsWith("/control/");
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const given = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1] ?? "";
    if (!timingSafeEqual(hash(given), this.#tokenHash))
      return answer(401, { message: "Give the token that the cloud printed: Authorization: Bearer …" });
    const name = request.rawPath.slice("/control/".length);
    const command = this.#commands.get(name);
    if (request.method !== "POST" || command === undefined)
      return answer(404, {
        message: `There is no control command ${request.method} ${name}; POST /control/list names them.`,
      });
    if (request.body.length > BODY_BYTES_MAX)
      return answer(413, { message: `The body is over ${BODY_BYTES_MAX} bytes.` });
    try {
      const input = parseJsonBody(Buffer.from(request.body).toString("utf8"));
      if (!isObject(input)) return answer(400, { message: "The body must be a JSON object." });
      return answer(200, await command(input));
    } catch (failure) {
      if (failure instanceof ShapeError) return answer(400, { message: failure.message });
      if (failure instanceof ServiceError)
        return answer(failure.statusCode, { code: failure.code, message: failure.message });
      return answer(500, { message: messageOf(failure) });
    }
  }
}

/** Hashed, so that the comparison has equal lengths whatever was given. */
function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function answer(status: number, body: object): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
