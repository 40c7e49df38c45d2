import * as z from "zod";
import type { CredentialsProvider } from "../../cloud/identity/credentials.ts";
import type { CloudDoor } from "../../core-device/hosted/data-plane.ts";

const Answer = z.object({
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiration: z.string(),
  }),
});

/**
 * The credentials provider's door for a device on the cloud's own clock: the expiration that it tells is by that clock,
 * since nobody here compares it with the wall's. `confided` is told what may stand in no log.
 */
export function hostedCredentials(
  provider: Pick<CredentialsProvider, "handle" | "resolveCredentials">,
  confided: (secret: string) => void = () => undefined,
): CloudDoor {
  return (request, device) => {
    const answer = provider.handle(request, device);
    const read = answer.status === 200 ? Answer.safeParse(JSON.parse(answer.body)) : undefined;
    if (read?.success !== true) return answer;
    const { credentials } = read.data;
    confided(credentials.secretAccessKey);
    confided(credentials.sessionToken);
    const expiresAt = provider.resolveCredentials(credentials.accessKeyId)?.expiresAt ?? 0;
    const expiration = new Date(expiresAt).toISOString();
    return { ...answer, body: JSON.stringify({ credentials: { ...credentials, expiration } }) };
  };
}
