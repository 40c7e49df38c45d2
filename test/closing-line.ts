import { overBudget, readBudget } from "./budget.ts";
import type { Reporter, TestModule, TestCase } from "vitest/node";

/**
 * Ends a run with the line that machines read: `N passed, N failed`, `, N skipped`, and names what was skipped. A
 * project that took more than its share of the time fails the run.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    const skipped: string[] = [];
    for (const module of modules) {
      const cases: TestCase[] = [...module.children.allTests()];
      // A module that could not be read has no tests: it would count as nothing.
      if (module.state() === "failed" && cases.every((test) => test.result().state !== "failed")) failed++;
      for (const test of cases) {
        const state = test.result().state;
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped.push(`${module.relativeModuleId}: ${test.fullName}`);
      }
    }
    const times = modules.map((module) => {
      const { collectDuration, prepareDuration, setupDuration, duration } = module.diagnostic();
      const ms = collectDuration + prepareDuration + setupDuration + duration;
      return { project: module.project.name, seconds: ms / 1000 };
    });
    // The long forms take what they take.
    const isLong = process.env["COALMINE_LONG"] === "1";
    for (const sentence of isLong ? [] : overBudget(times, readBudget())) {
      failed++;
      process.exitCode = 1;
      console.log(`OVER BUDGET ${sentence}`);
    }
    for (const name of skipped) console.log(`NOT RUN ${name}`);
    console.log(
      `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`,
    );
  }
}
