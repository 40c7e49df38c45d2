/** HTTP as the doors see it: whole requests and answers, the path and query still encoded, header names in lower case. */
export interface HttpRequest {
  readonly method: string;
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** No answer at all: the connection ends, as where a network loses what a server sent. */
export const noAnswer: HttpResponse = { status: 0, headers: {}, body: "" };

/** Pairs of a raw query, decoded. `+` stays a plus, as AWS reads it. @throws URIError where the encoding is broken. */
export function queryPairs(rawQuery: string): [string, string][] {
  if (rawQuery === "") return [];
  return rawQuery.split("&").map((part) => {
    const at = part.indexOf("=");
    return at < 0
      ? [decodeURIComponent(part), ""]
      : [decodeURIComponent(part.slice(0, at)), decodeURIComponent(part.slice(at + 1))];
  });
}

/** RFC 3986: everything but the unreserved characters. */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
