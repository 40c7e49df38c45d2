import { handle } from "hono/aws-lambda";
import { operatorApp, type OperatorAppParts } from "../../../api/http/operator-app.ts";
import { providerDoor, type ProviderDoorParts } from "../../../api/http/sign-in/provider-door.ts";
import type { Settings } from "./settings.ts";

export const OPERATORS_FUNCTION = "coalmine-operators";

export interface OperatorsParts
  extends
    Omit<OperatorAppParts, "door" | "origin" | "canFollow">,
    Pick<ProviderDoorParts, "keys" | "newSecret"> {
  readonly settings: Settings;
}

/** The operators' API behind an HTTP API of API Gateway, which hands over whole answers: no stream stays open there. */
export function operatorsFunction(parts: OperatorsParts): ReturnType<typeof handle> {
  const { settings, keys, newSecret, ...app } = parts;
  const origin = settings.COALMINE_ORIGIN;
  const door = providerDoor({
    issuer: settings.COALMINE_ISSUER,
    clientId: settings.COALMINE_CLIENT_ID,
    authorizeUrl: settings.COALMINE_AUTHORIZE_URL,
    tokenUrl: settings.COALMINE_TOKEN_URL,
    revokeUrl: settings.COALMINE_REVOKE_URL,
    logoutUrl: settings.COALMINE_LOGOUT_URL,
    origin,
    keys,
    clock: app.clock,
    newSecret,
  });
  return handle(operatorApp({ ...app, door, origin, canFollow: false }));
}
