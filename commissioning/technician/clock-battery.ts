import type { RunProgram } from "@coalmine/site/program";

/** `no-clock`: nothing here knows the time while the power is off. `unknown`: this clock, or this system, does not tell. */
export type ClockBattery = "good" | "low" | "empty" | "no-clock" | "unknown";

/** Bits of the kernel's RTC_VL_READ; 16, that the battery once stood in for the power, is what it is for. */
const DATA_INVALID = 1;
const LOW = 2;
const EMPTY = 4;
const ACCURACY_LOW = 8;

/** By `hwclock --vl-read`, which util-linux has since 2.40. */
export function clockBattery(run: RunProgram): () => Promise<ClockBattery> {
  return async () => {
    const { code, stdout, stderr } = await run("hwclock", ["--vl-read"]);
    if (/Cannot access the Hardware Clock/.test(stderr)) return "no-clock";
    const [, told] = /0x([0-9a-f]+)/i.exec(stdout) ?? [];
    if (code !== 0 || told === undefined) return "unknown";
    const bits = Number.parseInt(told, 16);
    if ((bits & (DATA_INVALID | EMPTY)) !== 0) return "empty";
    return (bits & (LOW | ACCURACY_LOW)) === 0 ? "good" : "low";
  };
}
