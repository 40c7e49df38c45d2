import type { BrokerLimits } from "./limits.ts";

/** The topic without what AWS does not count: `$aws/rules/<rule>/` and `$share/<group>/`. */
function counted(topic: string): string {
  return /^\$(?:aws\/rules|share)\/[^/]+\/(.*)$/s.exec(topic)?.[1] ?? topic;
}

/** Why nobody may publish to this topic; undefined where one may. */
export function topicFault(topic: string, limits: BrokerLimits): string | undefined {
  if (topic === "") return "the topic is empty";
  if (/[+#\0]/.test(topic)) return `the topic "${topic}" holds a wildcard or a zero character`;
  return sizeFault(topic, limits);
}

/** Why nobody may subscribe to this filter; undefined where one may. */
export function filterFault(filter: string, limits: BrokerLimits): string | undefined {
  if (filter.startsWith("$share/") && shareOf(filter) === undefined)
    return `"${filter}" is not $share/<group>/<filter>`;
  const plain = shareOf(filter)?.filter ?? filter;
  if (plain === "" || plain.includes("\0")) return "the filter is empty or holds a zero character";
  const levels = plain.split("/");
  const misplaced = levels.some(
    (level, index) =>
      (level.includes("#") && (level !== "#" || index < levels.length - 1)) ||
      (level.includes("+") && level !== "+"),
  );
  return misplaced ? `the filter "${filter}" has a wildcard in the wrong place` : sizeFault(filter, limits);
}

/** The group and the filter of a shared subscription. */
export function shareOf(filter: string): { readonly group: string; readonly filter: string } | undefined {
  const parts = /^\$share\/([^/+#]+)\/(.+)$/s.exec(filter);
  return parts === null ? undefined : { group: parts[1] ?? "", filter: parts[2] ?? "" };
}

function sizeFault(topic: string, limits: BrokerLimits): string | undefined {
  const bytesMax = topic.startsWith("$aws/") ? limits.reservedTopicBytesMax : limits.topicBytesMax;
  const bare = counted(topic);
  const bytes = Buffer.byteLength(bare);
  if (bytes > bytesMax) return `the topic is ${bytes} bytes, AWS IoT allows ${bytesMax}`;
  const slashes = bare.split("/").length - 1;
  return slashes > limits.topicSlashesMax
    ? `the topic has ${slashes} slashes, AWS IoT allows ${limits.topicSlashesMax}`
    : undefined;
}
