import { afterEach, expect, test, vi } from "vitest";
import { de } from "../texts/de.ts";
import { en } from "../texts/en.ts";
import { es } from "../texts/es.ts";
import { counted, differenceText, durationText, shareText, timeText } from "./figures.ts";

afterEach(() => void vi.unstubAllGlobals());

test("figures are written as the language has them, also where the browser names a language that there is not", () => {
  vi.stubGlobal("navigator", { languages: ["en-US@posix", "de-AT"] });
  expect(durationText(750_000, "en")).toBe("13 min");
  expect(durationText(5_400_000, "de")).toBe("1,5 Std.");
  expect(differenceText(0.98, "en")).toBe("-2%");
  expect(shareText(0.125, "de")).toMatch(/^12,5\s%$/);
  expect(timeText(0, "en")).toContain("1970");
});

test("one is written otherwise than many, in each language by its own rule", () => {
  vi.stubGlobal("navigator", { languages: ["en-GB"] });
  const reach = (count: number) => [
    en.decide.reach(counted(count, "en")),
    de.decide.reach(counted(count, "de")),
    es.decide.reach(counted(count, "es")),
  ];
  expect(reach(1)).toEqual([
    "1 device gets another revision.",
    "1 Gerät bekommt eine andere Revision.",
    "1 equipo recibe otra revisión.",
  ]);
  expect(reach(1200)).toEqual([
    "1,200 devices get another revision.",
    "1.200 Geräte bekommen eine andere Revision.",
    "1200 equipos reciben otra revisión.",
  ]);
});
