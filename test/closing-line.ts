import type { Reporter, TestModule, TestCase } from "vitest/node";

/** Ends a run with the line that machines read: `N passed, N failed`, `, N skipped`, and names what was skipped. */
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
    for (const name of skipped) console.log(`NOT RUN ${name}`);
    console.log(
      `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`,
    );
  }
}
