/** The one-time token of a link that was printed for this console, wherever it stands in it; undefined where there is none. */
export function tokenIn({ hash, search }: Pick<Location, "hash" | "search">): string | undefined {
  for (const part of [hash.replace(/^#(?:\/[\w-]*\??)?/, ""), search]) {
    const token = new URLSearchParams(part).get("token");
    if (token !== null && token !== "") return token;
  }
  return undefined;
}
