import { afterEach, expect, test, vi } from "vitest";
import { differenceText, durationText, shareText, timeText } from "./figures.ts";

afterEach(() => void vi.unstubAllGlobals());

test("figures are written as the language has them, also where the browser names a language that there is not", () => {
  vi.stubGlobal("navigator", { languages: ["en-US@posix", "de-AT"] });
  expect(durationText(750_000, "en")).toBe("13 min");
  expect(durationText(5_400_000, "de")).toBe("1,5 Std.");
  expect(differenceText(0.98, "en")).toBe("-2%");
  expect(shareText(0.125, "de")).toMatch(/^12,5\s%$/);
  expect(timeText(0, "en")).toContain("1970");
});
