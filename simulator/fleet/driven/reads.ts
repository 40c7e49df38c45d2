import type { HttpRequest } from "../../cloud/protocol/http.ts";

const reading = /^(Get|List|Describe|Head|BatchGet|Query|Scan|Filter|Search)/;

/**
 * Whether a request to AWS's door only reads. Services that speak JSON name their operation in a header; the others say
 * it by the HTTP method. STS gives out credentials, which is a change.
 */
export function onlyReads({ method, headers }: HttpRequest): boolean {
  const target = headers["x-amz-target"];
  if (target !== undefined) return reading.test(target.split(".").at(-1) ?? "");
  return method === "GET" || method === "HEAD";
}
