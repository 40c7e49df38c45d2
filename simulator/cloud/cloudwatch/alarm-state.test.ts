import { expect, test } from "vitest";
import { alarmState, type AlarmCondition, type AlarmState } from "./alarm-state.ts";

/** The two tables of AWS's page on missing data: 0 is in bounds, X breaches, - is missing; newest last. */
const condition = (breachesMin: number, missing: AlarmCondition["missing"]): AlarmCondition => ({
  isBreach: (point) => point > 5,
  periods: 3,
  breachesMin,
  missing,
});
const pointsOf = (text: string) =>
  text.split(" ").map((point) => (point === "-" ? undefined : point === "X" ? 9 : 0));
type Row = [points: string, missing: string, ignore: string, breaching: string, notBreaching: string];

const threeOfThree: Row[] = [
  ["0 - X - X", "OK", "OK", "OK", "OK"],
  ["0 - - - -", "OK", "OK", "OK", "OK"],
  ["- - - - -", "INSUFFICIENT_DATA", "kept", "ALARM", "OK"],
  ["0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["- - X - -", "ALARM", "kept", "ALARM", "OK"],
];
const twoOfThree: Row[] = [
  ["0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"],
  ["0 - X - -", "OK", "OK", "ALARM", "OK"],
  ["- - - - 0", "OK", "OK", "ALARM", "OK"],
  ["- - - X -", "ALARM", "kept", "ALARM", "OK"],
];

test.each([
  ...threeOfThree.map((row) => [3, ...row] as const),
  ...twoOfThree.map((row) => [2, ...row] as const),
])("%i of 3 breaching, %s", (breachesMin, points, ...states) => {
  const treatments = ["missing", "ignore", "breaching", "notBreaching"] as const;
  const found = treatments.map(
    (missing): AlarmState | "kept" => alarmState(condition(breachesMin, missing), pointsOf(points)) ?? "kept",
  );
  expect(found).toEqual(states);
});
