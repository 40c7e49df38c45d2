import { healthKeys } from "@coalmine/contract";
import { type FileStatus, PORTS_VERSION, type Ports, type Running } from "@coalmine/ports";
import { Closing, HealthReport, liveConfiguration, messageOf } from "@coalmine/runtime";
import { batches } from "./batches.ts";
import { Checkpoint } from "./checkpoint.ts";
import { Config, type LogSource, sources } from "./config.ts";
import { isAtLeast, split } from "./log-event.ts";
import { fileKey, readOn } from "./tail.ts";
import { upload } from "./upload.ts";

export const portsVersion = PORTS_VERSION;
export type Used = Pick<
  Ports,
  "clock" | "random" | "ipc" | "files" | "cloudLogs" | "crypto" | "log" | "process"
>;

/** Tails the components' log files and puts them to CloudWatch Logs, every line at least once. */
export async function start(ports: Used): Promise<Running> {
  const { clock, files, log, process } = ports;
  const closing = new Closing();
  const stop = new AbortController();
  const health = new HealthReport(healthKeys.logManager, ports);
  const root = process.environment("COALMINE_GREENGRASS_ROOT") ?? "";
  const checkpoint = await Checkpoint.open(files);
  const configuration = await liveConfiguration(ports, Config, () => undefined);
  closing.add(configuration, () => configuration.close());
  health.start(() => configuration.current().healthIntervalSeconds * 1000);
  closing.add(health, () => health.stop());
  const working = work();
  log.info("log-manager is running", { sources: sources(configuration.current(), root).length });

  return {
    stop: async () => {
      stop.abort(new Error("stopping"));
      await working;
      await health.publish();
      await closing.close();
    },
  };

  async function work(): Promise<void> {
    while (!stop.signal.aborted) {
      for (const source of sources(configuration.current(), root)) {
        await uploadSource(source).catch((failure: unknown) => {
          if (stop.signal.aborted) return;
          log.error("a component's logs could not be read; the next round tries again", {
            component: source.component,
            reason: messageOf(failure),
          });
        });
      }
      await clock
        .sleep(configuration.current().periodicUploadIntervalSec * 1000, stop.signal)
        .catch(() => undefined);
    }
  }

  async function uploadSource(source: LogSource): Promise<void> {
    const found = await logFiles(source);
    let lagBytes = 0;
    for (const { name, status } of found) {
      const behind = status.sizeBytes - (checkpoint.get(fileKey(status))?.offset ?? 0);
      const done = behind === 0 || (await uploadFile(source, name));
      if (!done) lagBytes += Math.max(0, behind);
      if (done && source.deleteAfterUpload && name !== found.at(-1)?.name) await removeUploaded(source, name);
    }
    health.set("lagBytes", lagBytes);
    await keepWithinLimit(source);
  }

  /** A source's files, oldest first; the last one is the one that is being written. */
  async function logFiles(source: LogSource): Promise<{ name: string; status: FileStatus }[]> {
    const folder = files.foreign(source.folder);
    const found = [];
    for (const name of (await folder.list()).filter((candidate) => source.fileName.test(candidate))) {
      // A file may be renamed between listing and asking: the next round finds it by its own identity.
      const status = await folder.status(name).catch(() => undefined);
      if (status?.kind === "file") found.push({ name, status });
    }
    // Of two written in the same millisecond the one without a rotation's suffix is the active one.
    return found.sort((a, b) => a.status.modifiedMs - b.status.modifiedMs || b.name.length - a.name.length);
  }

  /** Removes a file if what has that name now is uploaded to its end: names move on when logs rotate. */
  async function removeUploaded(source: LogSource, name: string): Promise<boolean> {
    const folder = files.foreign(source.folder);
    const status = await folder.status(name).catch(() => undefined);
    if (status === undefined || (checkpoint.get(fileKey(status))?.offset ?? 0) < status.sizeBytes)
      return false;
    return folder.remove(name).then(
      () => true,
      () => false,
    );
  }

  /** Uploads what is new in a file; true when nothing complete is left. */
  async function uploadFile(source: LogSource, name: string): Promise<boolean> {
    const folder = files.foreign(source.folder);
    for (;;) {
      const status = await folder.status(name).catch(() => undefined);
      if (status === undefined) return false;
      const chunk = await readOn(folder, name, checkpoint.get(fileKey(status)), ports.crypto);
      // Renamed in between: what was read belongs to the file that was opened, and so does the position.
      if (chunk.lostBytes > 0) {
        health.add("lostBytes", chunk.lostBytes);
        log.warn("a log file was cut down before all of it was uploaded", {
          name,
          lostBytes: chunk.lostBytes,
        });
      }
      const wanted = chunk.events.filter((event) => isAtLeast(event, source.minimumLevel)).flatMap(split);
      for (const batch of batches(wanted)) await put(source, batch);
      health.add("lines", chunk.lines);
      const moved = chunk.next.offset !== (checkpoint.get(chunk.key)?.offset ?? 0);
      if (moved) {
        checkpoint.set(chunk.key, chunk.next);
        await checkpoint.save();
      }
      if (chunk.atEnd || !moved) return chunk.next.offset >= chunk.status.sizeBytes;
    }
  }

  async function put(source: LogSource, batch: ReturnType<typeof batches>[number]): Promise<void> {
    const group = `/aws/greengrass/${source.componentType}/${process.region}/${source.component}`;
    const stream = `/${batch.date}/thing/${process.thingName.replaceAll(":", "+")}`;
    const startedMs = clock.monotonicMs();
    const result = await upload(ports, group, stream, batch, stop.signal, () => health.add("uploadFailures"));
    health.observe("uploadMs", clock.monotonicMs() - startedMs);
    health.add("uploadedEvents", result.accepted);
    health.add("rejectedEvents", result.rejected);
  }

  /** Removes the oldest uploaded files while all of them together are over the limit; the active one stays. */
  async function keepWithinLimit(source: LogSource): Promise<void> {
    if (source.diskLimitBytes === undefined) return;
    const found = await logFiles(source);
    let total = found.reduce((sum, { status }) => sum + status.sizeBytes, 0);
    for (const { name, status } of found.slice(0, -1)) {
      if (total <= source.diskLimitBytes) return;
      if (await removeUploaded(source, name)) total -= status.sizeBytes;
    }
  }
}
