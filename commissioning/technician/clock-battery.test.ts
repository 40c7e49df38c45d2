import { expect, test } from "vitest";
import { clockBattery } from "./clock-battery.ts";

const told = (stdout: string, stderr = "", code = 0) =>
  clockBattery(async (program, args) => {
    expect([program, ...args]).toEqual(["hwclock", "--vl-read"]);
    return { code, stdout, stderr };
  })();

test("a battery that is low or gone, a device without a clock, and one that does not tell are told apart", async () => {
  expect(await told("0x0\n")).toBe("good");
  // It has stood in for the power.
  expect(await told("0x10\n> Backup switchover happened\n")).toBe("good");
  expect(await told("0x2\n")).toBe("low");
  expect(await told("0x8\n")).toBe("low");
  expect(await told("0x6\n")).toBe("empty");
  expect(await told("0x1\n")).toBe("empty");
  const none = "hwclock: Cannot access the Hardware Clock via any known method.\n";
  expect(await told("", none, 1)).toBe("no-clock");
  expect(await told("", "hwclock: unrecognized option '--vl-read'\n", 1)).toBe("unknown");
  expect(
    await told("", "hwclock: ioctl(RTC_VL_READ) to /dev/rtc0: Inappropriate ioctl for device\n", 1),
  ).toBe("unknown");
});
