import * as z from "zod";

/** Of API Gateway's payload format 2.0, what functions behind an HTTP API read. */
export const HttpEvent = z.object({
  rawPath: z.string(),
  requestContext: z.object({
    http: z.object({ method: z.string(), sourceIp: z.string().default("") }),
    authorizer: z
      .object({
        /** What a token says, each value as text: a list of groups comes as `[viewer operator]`. */
        jwt: z.object({ claims: z.record(z.string(), z.unknown()) }).optional(),
      })
      .optional(),
  }),
  body: z.string().default(""),
  isBase64Encoded: z.boolean().default(false),
});
export type HttpEvent = z.infer<typeof HttpEvent>;

export function answer(statusCode: number, body: object): object {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return { statusCode, headers, body: JSON.stringify(body) };
}
