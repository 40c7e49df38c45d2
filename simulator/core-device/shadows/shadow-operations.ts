import { createHash } from "node:crypto";
import { IpcServiceError, parseRequest } from "@coalmine/ipc";
import type { Clock, JsonObject } from "@coalmine/ports";
import type { Authorize, Handlers } from "../ipc/handler.ts";
import { SHADOW_MANAGER } from "../ipc/plugins.ts";
import { topicOf, type ShadowManager } from "./shadow-manager.ts";
import { checkId, ShadowRefusal, type ShadowId } from "./shadow-requests.ts";

const PAGE_DEFAULT = 25;
const PAGE_MAX = 100;

/** The shadow manager's four operations. */
export function shadowOperations(shadows: ShadowManager, authorize: Authorize, clock: Clock): Handlers {
  const allowed = (principal: string, operation: string, id: ShadowId) => (): void =>
    authorize(principal, SHADOW_MANAGER, operation, topicOf(id));
  return {
    GetThingShadow: (principal, request) => {
      const id = idOf(parseRequest("GetThingShadow", request));
      return answer(async () => payloadOf(await shadows.get(id, allowed(principal, "GetThingShadow", id))));
    },
    UpdateThingShadow: (principal, request) => {
      const { payload, ...named } = parseRequest("UpdateThingShadow", request);
      const id = idOf(named);
      const bytes = Buffer.from(payload, "base64");
      return answer(async () =>
        payloadOf(await shadows.update(id, bytes, allowed(principal, "UpdateThingShadow", id))),
      );
    },
    DeleteThingShadow: (principal, request) => {
      const id = idOf(parseRequest("DeleteThingShadow", request));
      return answer(async () => {
        await shadows.delete(id, allowed(principal, "DeleteThingShadow", id));
        return { payload: "" };
      });
    },
    ListNamedShadowsForThing: (principal, request) => {
      const {
        thingName,
        pageSize = PAGE_DEFAULT,
        nextToken = "",
      } = parseRequest("ListNamedShadowsForThing", request);
      return answer(async () => {
        shadows.checkRate(thingName);
        checkId({ thingName, shadowName: "" });
        authorize(principal, SHADOW_MANAGER, "ListNamedShadowsForThing", thingName);
        if (pageSize < 1 || pageSize > PAGE_MAX)
          throw new ShadowRefusal(400, `pageSize argument must be between 1 and ${PAGE_MAX}`);
        const seal = createHash("sha256")
          .update(`${principal}\n${thingName}`)
          .digest("base64url")
          .slice(0, 16);
        const from = nextToken === "" ? 0 : offsetOf(nextToken, seal);
        const results = shadows.namesOf(thingName).slice(from, from + pageSize);
        return {
          results,
          timestamp: clock.now() / 1000,
          ...(results.length === pageSize
            ? { nextToken: Buffer.from(`${from + pageSize}.${seal}`).toString("base64") }
            : {}),
        };
      });
    },
  };
}

function idOf(named: { thingName: string; shadowName?: string | undefined }): ShadowId {
  return { thingName: named.thingName, shadowName: named.shadowName ?? "" };
}

function payloadOf(document: JsonObject): JsonObject {
  return { payload: Buffer.from(JSON.stringify(document)).toString("base64") };
}

/** A token is good for the component and the thing that it was given for. */
function offsetOf(nextToken: string, seal: string): number {
  const [offset = "", sealed] = Buffer.from(nextToken, "base64").toString().split(".");
  if (sealed !== seal || !/^\d{1,6}$/.test(offset))
    throw new ShadowRefusal(400, "Invalid nextToken argument");
  return Number(offset);
}

const codes: Readonly<Record<ShadowRefusal["code"], string>> = {
  400: "InvalidArgumentsError",
  401: "UnauthorizedError",
  404: "ResourceNotFoundError",
  409: "ConflictError",
  413: "InvalidArgumentsError",
  429: "ServiceError",
  500: "ServiceError",
};

async function answer(work: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof ShadowRefusal) throw new IpcServiceError(codes[failure.code], failure.message);
    throw failure;
  }
}
