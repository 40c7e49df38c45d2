import { expect, test } from "vitest";
import { parseCron } from "./cron.ts";

const start = Date.parse("2027-01-15T10:30:00Z"); // A Friday.

/** The next three, to the minute. */
function nextThree(expression: string): (string | undefined)[] {
  const times: (string | undefined)[] = [];
  let at: number | undefined = start;
  while (times.length < 3) {
    at = at === undefined ? undefined : parseCron(expression)?.next(at);
    times.push(at === undefined ? undefined : new Date(at).toISOString().slice(0, 16));
  }
  return times;
}

test.each([
  ["cron(0 10 * * ? *)", "2027-01-16T10:00", "2027-01-17T10:00", "2027-01-18T10:00"],
  ["cron(15,45 10-11 * * ? *)", "2027-01-15T10:45", "2027-01-15T11:15", "2027-01-15T11:45"],
  ["cron(0/10 * ? * MON-FRI *)", "2027-01-15T10:40", "2027-01-15T10:50", "2027-01-15T11:00"],
  ["cron(*/20 10 * * ? *)", "2027-01-15T10:40", "2027-01-16T10:00", "2027-01-16T10:20"],
  ["cron(0 8 1 * ? *)", "2027-02-01T08:00", "2027-03-01T08:00", "2027-04-01T08:00"],
  ["cron(0 8 L * ? *)", "2027-01-31T08:00", "2027-02-28T08:00", "2027-03-31T08:00"],
  ["cron(0 8 1W * ? *)", "2027-02-01T08:00", "2027-03-01T08:00", "2027-04-01T08:00"],
  // The 1st of May is a Saturday, whose nearest weekday is within its month; the 31st of January is a Sunday.
  ["cron(0 8 1W MAY,AUG ? *)", "2027-05-03T08:00", "2027-08-02T08:00", "2028-05-01T08:00"],
  ["cron(0 8 31W * ? *)", "2027-01-29T08:00", "2027-03-31T08:00", "2027-05-31T08:00"],
  ["cron(0 8 ? * 6L *)", "2027-01-29T08:00", "2027-02-26T08:00", "2027-03-26T08:00"],
  ["cron(0 8 ? * 3#2 *)", "2027-02-09T08:00", "2027-03-09T08:00", "2027-04-13T08:00"],
  ["cron(0 8 ? * SUN 2027-2028)", "2027-01-17T08:00", "2027-01-24T08:00", "2027-01-31T08:00"],
  ["cron(0 0 29 2 ? 2028/2)", "2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"],
  ["cron(0 0 1 1 ? 2027-2028)", "2028-01-01T00:00", undefined, undefined],
])("%s comes at its minutes in UTC", (expression, ...times) => {
  expect(nextThree(expression)).toEqual(times);
});

test.each([
  "rate(1 hour)",
  "cron(0 10 * * *)",
  "cron(0 10 * * * *)",
  "cron(0 10 ? * ? *)",
  "cron(60 10 * * ? *)",
  "cron(0 24 * * ? *)",
  "cron(0 10 0 * ? *)",
  "cron(0 10 32W * ? *)",
  "cron(0 10 * 13 ? *)",
  "cron(0 10 ? * 8 *)",
  "cron(0 10 ? * 3#6 *)",
  "cron(5-1 10 * * ? *)",
  "cron(0/0 10 * * ? *)",
  "cron(0 10 * * ? 1969)",
  "cron(x 10 * * ? *)",
  "cron(1-2-3 10 * * ? *)",
])("%s is no such expression", (expression) => {
  expect(parseCron(expression)).toBeUndefined();
});
