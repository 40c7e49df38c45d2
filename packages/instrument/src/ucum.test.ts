import { expect, test } from "vitest";
import { flowCurveChannels } from "./rheometer-type.ts";
import { isUcum } from "./ucum.ts";

test.each([
  ...flowCurveChannels.map(({ unit }) => unit),
  ..."1 mPa.s /s Cel % kW.h m3/h m/s2 kg.m-3 mm[Hg] 10*3/ul 10*-6 mol/l umol/l mmol/(24.h) dB[SPL] uS/cm [pH] [degF] Ohm V A Hz l/min ug/m3 {rev}/min /min [ppm] kPa hPa bar mbar deg W/m2 J/(kg.K) By"
    .split(" ")
    .filter((code) => !["g%{total}", "kibit"].includes(code)),
])("%s is a UCUM code", (code) => {
  expect(isUcum(code)).toBe(true);
});

test.each([
  "",
  "°C",
  "degC",
  "C°",
  "mpa.s",
  "sec",
  "m3 /h",
  "kilowatt",
  "m//s",
  "m.",
  "(m",
  "m)",
  "k%",
  "kmin",
  "rpm",
  "µS/cm",
  "m^3",
  "1/",
  "{",
  "..",
  "Pa s",
])("%s is none", (code) => {
  expect(isUcum(code)).toBe(false);
});
