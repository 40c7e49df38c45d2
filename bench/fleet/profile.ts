import * as z from "zod";

/** What is read of a profile as `node --cpu-prof` writes it. */
const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** Not work of anybody: the thread waits, or was not there. */
const RESTS = new Set(["(idle)", "(program)"]);

/**
 * Which part of a profile's time was spent in files that `isOf` knows, with the engine's own functions that they called. What
 * the collector takes is nobody's.
 */
export function shareOf(profile: unknown, isOf: (url: string) => boolean): number {
  const { nodes, samples, timeDeltas } = Profile.parse(profile);
  const known = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const owners = new Map<number, string>();
  const ownerOf = (id: number): string => {
    const found = owners.get(id);
    if (found !== undefined) return found;
    const url = known.get(id)?.callFrame.url ?? "";
    const caller = callers.get(id);
    // The engine's own have no file, and Node's are not a fleet's.
    const owner = url.startsWith("file:") || caller === undefined ? url : ownerOf(caller);
    owners.set(id, owner);
    return owner;
  };
  let all = 0;
  let own = 0;
  for (const [index, id] of samples.entries()) {
    if (RESTS.has(known.get(id)?.callFrame.functionName ?? "")) continue;
    const took = timeDeltas[index] ?? 0;
    all += took;
    if (isOf(ownerOf(id))) own += took;
  }
  return all === 0 ? 0 : own / all;
}
