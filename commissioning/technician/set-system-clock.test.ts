import { expect, test } from "vitest";
import { setSystemClock } from "./set-system-clock.ts";

test("the clock is set to the millisecond, the hardware's with it; a system that refuses is quoted", async () => {
  const ran: string[] = [];
  await setSystemClock(async (program, args) => {
    ran.push([program, ...args].join(" "));
    return { code: program === "hwclock" ? 1 : 0, stdout: "", stderr: "" };
  })(1_795_000_000_123);
  expect(ran).toEqual(["date --set @1795000000.123", "hwclock --systohc"]);
  const refuses = setSystemClock(async () => ({
    code: 1,
    stdout: "",
    stderr: "date: cannot set date: Operation not permitted\n",
  }));
  await expect(refuses(0)).rejects.toThrow("date: cannot set date: Operation not permitted");
});
