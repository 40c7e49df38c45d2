import type { Files } from "@coalmine/ports";
import type { SettingsOf } from "../sink-config.ts";
import { classifyFile } from "../sink-failure.ts";
import { joined, linePackets, type Packet } from "./line-packets.ts";
import type { Sink } from "./sink.ts";

const FOLDER = "exports";
const PACKET_BYTES_MAX = 2 ** 20;
const ENDING = ".jsonl";

/**
 * A folder below the component's own, for what reads on the device itself: one file of JSON lines a range, whole or not
 * there, named by it. The oldest files make room.
 */
export function localFilesSink(
  parts: { readonly files: Files; readonly thing: string; readonly name: string },
  settings: SettingsOf<"file">,
): Sink {
  const { files, thing } = parts;
  const folder = `${FOLDER}/${parts.name}`;

  async function write(name: string, bytes: Uint8Array): Promise<void> {
    await files.makeFolder(FOLDER).catch(thereAlready);
    await files.makeFolder(folder).catch(thereAlready);
    await makeRoom(bytes.length);
    const file = await files.open(`${folder}/${name}.new`, "create");
    try {
      await file.truncate(0);
      await file.write(0, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(`${folder}/${name}.new`, `${folder}/${name}`);
    await files.syncFolder(folder);
  }

  async function makeRoom(bytes: number): Promise<void> {
    const kept: { name: string; sizeBytes: number; modifiedMs: number }[] = [];
    for (const name of await files.list(folder))
      if (name.endsWith(ENDING)) kept.push({ name, ...(await files.status(`${folder}/${name}`)) });
    kept.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
    let total = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, bytes);
    for (const { name, sizeBytes } of kept) {
      if (total <= settings.limitBytes) return;
      await files.remove(`${folder}/${name}`);
      total -= sizeBytes;
    }
  }

  return {
    target: folder,
    makesObjects: false,
    classify: classifyFile,
    async *parcels({ epoch, first, last }, records) {
      const packets: Packet[] = [];
      for await (const packet of linePackets(thing, records, PACKET_BYTES_MAX)) packets.push(packet);
      if (packets.length === 0) return;
      const bytes = joined(packets);
      const pad = (number: number): string => String(number).padStart(15, "0");
      const name = `${epoch.slice(0, 8)}-${pad(first)}-${pad(last)}${ENDING}`;
      yield {
        points: packets.reduce((sum, packet) => sum + packet.points, 0),
        bytes: bytes.length,
        name: `${folder}/${name}`,
        send: () => write(name, bytes),
        content: () => bytes,
        halves: () => undefined,
      };
    },
  };
}

function thereAlready(failure: unknown): void {
  if (!(failure instanceof Error && "code" in failure && failure.code === "EEXIST")) throw failure;
}
