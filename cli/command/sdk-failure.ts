import * as z from "zod";

const Told = z.object({
  name: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
});

/** What an SDK client, or Node's network, says of a failure beside its message. */
export function sdkFailure(failure: unknown): {
  name?: string | undefined;
  code?: string | undefined;
  status?: number | undefined;
} {
  const { name, code, $metadata } = Told.safeParse(failure).data ?? {};
  return { name, code, status: $metadata?.httpStatusCode };
}
