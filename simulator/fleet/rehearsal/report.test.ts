import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  brokenCheck,
  counterChecks,
  deploymentCheck,
  lakeCheck,
  logCheck,
  windowTimeCheck,
  residualCheck,
} from "../evidence/checks.ts";
import { failedReport, passedReport, unbegunReport } from "./report.fixture.ts";
import { advice } from "./what-to-do.ts";
import { writeReport } from "./write-report.ts";

test("a report is three files, and nothing of a former one or of its writing is left", () => {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  try {
    writeReport(folder, failedReport);
    writeReport(folder, passedReport);
    expect(readdirSync(folder).sort()).toEqual(["report.html", "report.json", "report.xml"]);
    const json: unknown = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    expect(json).toEqual(passedReport);
    expect(readFileSync(join(folder, "report.html"), "utf8")).toContain("3f2a91c0d4e5: passed");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the verdict names what fails first, and what ended a rehearsal is its verdict", () => {
  expect(passedReport).toMatchObject({
    passed: true,
    verdict: "The candidate passes: all 1 checks hold on 6 devices.",
  });
  expect(failedReport.verdict).toMatch(
    /^The candidate fails 1 of 2 checks, first "no component broken": coalmine\.I/,
  );
  expect(unbegunReport).toMatchObject({ passed: false, verdict: "The candidate fails: no build was there." });
});

test("what to do begins with what is wrong and ends with how to see it again", () => {
  expect(passedReport.toDo).toHaveLength(1);
  const [first, again, last] = failedReport.toDo;
  expect(first).toBe(advice["no component broken"]);
  expect(again).toContain(failedReport.repeat);
  expect(last).toContain("Nothing was published");
});

test("each check of a rehearsal has its advice", () => {
  const lake = {
    objects: 0,
    rows: 0,
    resultRows: 0,
    lost: 0,
    doubled: 0,
    unknown: 0,
    causes: {},
    examples: [],
  };
  const none = { folder: "", components: [] };
  const names = [
    lakeCheck(lake),
    ...counterChecks([]),
    residualCheck([], none, none),
    windowTimeCheck([], none, none),
    brokenCheck([]),
    deploymentCheck([]),
    logCheck({ lines: 0, leaks: [] }),
  ].map(({ name }) => name);
  expect(names.filter((name) => advice[name] === undefined)).toEqual([]);
});
