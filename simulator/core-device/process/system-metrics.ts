import { readFileSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import type { SystemMetrics } from "../ports.ts";

const MEBIBYTE = 1024 * 1024;

/** How busy this machine is; the processor's share is that since the last call. */
export function systemMetrics(): SystemMetrics {
  let before = { busyMs: 0, allMs: 0 };
  return () => {
    const now = processorTimes();
    const allMs = now.allMs - before.allMs;
    const cpuPercent = allMs > 0 ? ((now.busyMs - before.busyMs) / allMs) * 100 : 0;
    before = now;
    return {
      cpuPercent,
      openFileDescriptors: openFileDescriptors(),
      memoryMebibytes: Math.floor((totalmem() - freemem()) / MEBIBYTE),
    };
  };
}

function processorTimes(): { busyMs: number; allMs: number } {
  let busyMs = 0;
  let allMs = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    allMs += all;
    busyMs += all - times.idle;
  }
  return { busyMs, allMs };
}

/** Of the whole machine; 0 where the system does not tell. */
function openFileDescriptors(): number {
  try {
    return Number(readFileSync("/proc/sys/fs/file-nr", "utf8").split("\t")[0]);
  } catch {
    return 0;
  }
}
