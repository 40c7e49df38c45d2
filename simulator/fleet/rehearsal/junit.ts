import { escapeXml } from "../../cloud/protocol/xml.ts";
import type { RehearsalReport } from "./report.ts";

/**
 * A report as JUnit XML: a suite a scenario, a case a check. It has every element and attribute that the strictest of the
 * schemas in use (Ant's) asks for, in its order, and none that it does not know.
 * @see https://llg.cubic.org/docs/junit/
 */
export function junitOf(report: RehearsalReport): string {
  const suites = [...Map.groupBy(report.checks, ({ scenario }) => scenario)].map(([name, checks], id) => {
    const failures = checks.filter(({ ok }) => !ok).length;
    const attributes = {
      name,
      package: "rehearsal",
      id,
      // The schema knows no zone and no fraction; this is UTC.
      timestamp: new Date(report.atMs).toISOString().slice(0, 19),
      hostname: "simulated",
      tests: checks.length,
      failures,
      errors: 0,
      time: report.scenarios.find((course) => course.name === name)?.seconds ?? 0,
    };
    const cases = checks.map((check) => {
      const head = `testcase name="${escapeXml(check.name)}" classname="rehearsal.${escapeXml(name)}" time="0"`;
      const found = escapeXml(printable(check.found));
      return check.ok
        ? `    <${head}/>`
        : `    <${head}>\n      <failure type="check" message="${found}">${found}</failure>\n    </${head.split(" ")[0]}>`;
    });
    const properties = { commit: report.commit, seed: report.seed, repeat: report.repeat };
    return [
      `  <testsuite ${attributed(attributes)}>`,
      "    <properties>",
      ...Object.entries(properties).map(
        ([key, value]) => `      <property ${attributed({ name: key, value })}/>`,
      ),
      "    </properties>",
      ...cases,
      `    <system-out>${escapeXml(printable(report.verdict))}</system-out>`,
      "    <system-err/>",
      "  </testsuite>",
    ].join("\n");
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
}

function attributed(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${escapeXml(printable(String(value)))}"`)
    .join(" ");
}

/** XML 1.0 has no way to write most control characters, which a component may well have said. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the control characters are the point.
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, "\ufffd");
}
