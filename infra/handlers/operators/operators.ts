import { operatorApp } from "../../../api/http/operator-app.ts";
import { answer, HttpEvent } from "../http-event.ts";
import { personOf } from "../person.ts";

export const OPERATORS_FUNCTION = "coalmine-operators";

type Parts = Omit<Parameters<typeof operatorApp>[0], "whoever">;

/** The operators' API behind an HTTP API, whose authorizer has verified who asks. */
export function operatorsFunction(parts: Parts): (event: unknown) => Promise<object> {
  return async (event) => {
    const read = HttpEvent.safeParse(event);
    if (!read.success) return answer(400, { code: "ERR_API_INPUT", problem: "this is no request" });
    // An HTTP API hands over whole answers: nothing can be streamed through it, and pages ask again instead.
    if (read.data.rawPath === "/api/events")
      return answer(501, {
        code: "ERR_API_NOT_FOUND",
        problem: "events are not streamed here; ask for the rollout again",
      });
    const app = operatorApp({ ...parts, whoever: () => Promise.resolve(personOf(read.data)) });
    const response = await app.fetch(requestOf(read.data));
    return {
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  };
}

function requestOf(event: HttpEvent): Request {
  const { rawPath, rawQueryString, headers, requestContext, body, isBase64Encoded } = event;
  const { method } = requestContext.http;
  const url = `https://console${rawPath}${rawQueryString === "" ? "" : `?${rawQueryString}`}`;
  const hasBody = !["GET", "HEAD"].includes(method);
  return new Request(url, {
    method,
    headers,
    ...(hasBody ? { body: isBase64Encoded ? Buffer.from(body, "base64") : body } : {}),
  });
}
