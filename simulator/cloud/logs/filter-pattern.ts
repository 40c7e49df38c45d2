/**
 * Unstructured filter patterns: every word or "quoted phrase" must be there, one after `-` must not, one of those after
 * `?` must. JSON and column patterns match nothing here.
 */
export function matchesFilter(message: string, pattern: string): boolean {
  const terms = [...pattern.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/g)].map((match) => ({
    kind: match[1],
    text: (match[2] ?? match[3] ?? "").replaceAll(/\\(.)/g, "$1"),
  }));
  if (/^\s*[{[]/.test(pattern)) return false;
  const optional = terms.filter((term) => term.kind === "?");
  return (
    terms.every((term) => (term.kind === "?" ? true : message.includes(term.text) === (term.kind !== "-"))) &&
    (optional.length === 0 || optional.some((term) => message.includes(term.text)))
  );
}
