/** How a resource is compared: plainly, or with MQTT's wildcards as well. */
export type Lookup = "STANDARD" | "MQTT_STYLE";

/**
 * A resource of an access control policy as an expression over the requested text; undefined where the resource is not
 * valid. `*` is any run of characters, `/` included; `${*}`, `${?}` and `${$}` are the characters themselves.
 */
export function resourcePattern(resource: string, lookup: Lookup): RegExp | undefined {
  if (resource === "") return undefined;
  if (lookup === "STANDARD") return compile(resource);
  const levels = resource.split("/");
  const last = levels.length - 1;
  // `#` stands for the rest with the parent level, when it is the whole last level.
  const isRest = levels[last] === "#";
  const sources: string[] = [];
  for (const [index, level] of levels.entries()) {
    if (isRest && index === last) break;
    const source = level === "+" ? "[^/]*" : sourceOf(level);
    if (source === undefined) return undefined;
    sources.push(source);
  }
  if (!isRest) return new RegExp(`^${sources.join("/")}$`, "s");
  return last === 0 ? /^.*$/s : new RegExp(`^${sources.join("/")}(?:/.*)?$`, "s");
}

function compile(text: string): RegExp | undefined {
  const source = sourceOf(text);
  return source === undefined ? undefined : new RegExp(`^${source}$`, "s");
}

function sourceOf(text: string): string | undefined {
  let source = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "*") source += ".*";
    else if (character === "?") return undefined;
    else if (character === "$" && text.charAt(at + 1) === "{") {
      const escaped = /^\$\{([*?$])\}/.exec(text.slice(at))?.[1];
      if (escaped === undefined) return undefined;
      source += `\\${escaped}`;
      at += 3;
    } else source += character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  }
  return source;
}
