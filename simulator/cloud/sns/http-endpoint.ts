/** Posts to an endpoint on this machine, and gives the status. Rejects where nobody answers in time. */
export type PostToEndpoint = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<number>;

/** @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html */
const ANSWER_MS_MAX = 15_000;
const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && loopback.has(new URL(url).hostname);
}

/** Over this machine's loopback alone; redirects are not followed. */
export const postToLoopback: PostToEndpoint = async (url, headers, body) => {
  const response = await fetch(url, {
    method: "POST",
    headers,
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  await response.body?.cancel();
  return response.status;
};
