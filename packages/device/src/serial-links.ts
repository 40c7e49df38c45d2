import { watch } from "node:fs";
import type { Clock, LinkInfo, Links, LinkTarget, Timer } from "@coalmine/ports";
import { LinkFailure } from "./link-error.ts";
import { openSerial } from "./serial-link.ts";
import { BY_ID, listSerial, serialSignature, type SerialPlaces } from "./serial-listing.ts";
import { openTcp } from "./tcp-link.ts";

/** How often the ports are listed anew while somebody watches; where the system tells of changes, it comes at once. */
const POLL_MS = 1000;

/** The device's serial ports, and TCP. Every opening makes a new port object. */
export function serialLinks(clock: Clock, places: SerialPlaces = {}): Links {
  return {
    list: () => listSerial(places),
    watch: (changed) => watchPorts(clock, places, changed),
    open: async (target) => {
      if (target.kind === "tcp") return openTcp(target.host, target.port);
      const info = await find(target, places);
      return openSerial(info.path, { ...target, id: info.id });
    },
  };
}

/** By id or another of its names; an absolute path may be named without being listed. */
async function find(
  { id }: Extract<LinkTarget, { kind: "serial" }>,
  places: SerialPlaces,
): Promise<LinkInfo> {
  const listed = await listSerial(places);
  const info = listed.find((candidate) => candidate.id === id || candidate.aliases?.includes(id) === true);
  if (info !== undefined) return info;
  if (id.startsWith("/")) return { id, path: id };
  const ids = listed.map((candidate) => candidate.id).join(", ");
  throw new LinkFailure(
    "NO_SUCH_LINK",
    `cannot open ${id}: there is no such port; these are here: ${ids === "" ? "none" : ids}`,
  );
}

/** Compares listings, every second and whenever a folder of ports changes; tells only of a difference. */
function watchPorts(clock: Clock, places: SerialPlaces, changed: () => void): { close(): void } {
  let isOpen = true;
  let timer: Timer | undefined;
  let known: string | undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    const now = await serialSignature(places);
    isLooking = false;
    if (!isOpen) return;
    const differs = known !== undefined && known !== now;
    known = now;
    if (differs) changed();
  };
  const poll = (): void => {
    timer = clock.timer(POLL_MS, () => {
      void look();
      poll();
    });
  };
  const watchers = [BY_ID, ...(places.folders ?? [])].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, () => void look());
      watcher.on("error", () => watcher.close());
      return [watcher];
    } catch {
      // Not there yet: polling finds it.
      return [];
    }
  });
  void look();
  poll();
  return {
    close: () => {
      isOpen = false;
      timer?.cancel();
      for (const watcher of watchers) watcher.close();
    },
  };
}
