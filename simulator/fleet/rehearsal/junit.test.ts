import { expect, test } from "vitest";
import { parseXml } from "../../cloud/protocol/xml.ts";
import { junitOf } from "./junit.ts";
import { failedReport, passedReport, unbegunReport } from "./report.fixture.ts";

/**
 * What Ant's schema of JUnit reports says, the strictest in use: of each element the attributes that it must and may have,
 * and its children in their order, `*` where there may be many.
 */
const schema: Readonly<
  Record<string, { must: readonly string[]; may?: readonly string[]; children?: RegExp; text?: boolean }>
> = {
  testsuites: { must: [], children: /^(testsuite )*$/ },
  testsuite: {
    must: ["name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"],
    may: ["skipped"],
    children: /^properties (testcase )*system-out system-err $/,
  },
  properties: { must: [], children: /^(property )*$/ },
  property: { must: ["name", "value"] },
  testcase: { must: ["name", "classname", "time"], children: /^((skipped|error|failure) )?$/ },
  failure: { must: ["type"], may: ["message"], text: true },
  "system-out": { must: [], text: true },
  "system-err": { must: [], text: true },
};
const formats: Readonly<Record<string, RegExp>> = {
  timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/,
  tests: /^\d+$/,
  failures: /^\d+$/,
  errors: /^\d+$/,
  id: /^\d+$/,
  time: /^\d+(\.\d+)?$/,
};

/** What the schema has against it, in words. */
function complaints(xml: string): string[] {
  const found: string[] = [];
  const open: { name: string; children: string }[] = [{ name: "", children: "" }];
  for (const [, closing, name, attributes = "", selfClosing, text = ""] of xml
    .replace(/^<\?xml [^?]*\?>/, "")
    .matchAll(/<(\/)?([\w-]+)((?:\s[\w-]+="[^"<]*")*)\s*(\/)?>|([^<]+)/g)) {
    const top = open.at(-1);
    if (name === undefined) {
      if (text.trim() !== "" && schema[top?.name ?? ""]?.text !== true)
        found.push(`text in ${top?.name}: ${text}`);
      continue;
    }
    const end = (): void => {
      const done = open.pop();
      if (done?.name !== name) found.push(`${done?.name} is closed by ${name}`);
      const children = schema[name]?.children ?? /^$/;
      if (!children.test(done?.children ?? "")) found.push(`${name} holds ${done?.children}`);
    };
    if (closing !== undefined) {
      end();
      continue;
    }
    const rule = schema[name];
    if (rule === undefined) found.push(`there is no element ${name}`);
    const given = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)];
    const names = new Set(given.map(([, attribute = ""]) => attribute));
    for (const must of rule?.must ?? []) if (!names.has(must)) found.push(`${name} lacks ${must}`);
    for (const [, attribute = "", value = ""] of given) {
      if (![...(rule?.must ?? []), ...(rule?.may ?? [])].includes(attribute))
        found.push(`${name} has ${attribute}`);
      if (formats[attribute]?.test(value) === false) found.push(`${attribute} is ${value}`);
    }
    if (top !== undefined) top.children += `${name} `;
    open.push({ name, children: "" });
    if (selfClosing !== undefined) end();
  }
  return found;
}

test.each([
  ["passed", passedReport],
  ["failed", failedReport],
  ["that did not begin", unbegunReport],
])("the JUnit XML of a rehearsal %s is what the strictest schema of it accepts", (_, report) => {
  const xml = junitOf(report);
  expect(parseXml(xml)).toBeDefined();
  expect(complaints(xml)).toEqual([]);
  // oxlint-disable-next-line no-control-regex -- XML 1.0 cannot hold them in any spelling.
  expect(xml).not.toMatch(/[\u0000-\u0008]|&#x[01];/);
});

test("the schema's check sees what is wrong", () => {
  const xml = junitOf(failedReport);
  expect(complaints(xml.replace(' hostname="simulated"', ""))).toEqual(["testsuite lacks hostname"]);
  expect(complaints(xml.replaceAll("property", "prop"))).not.toEqual([]);
  expect(complaints(xml.replace(/timestamp="[^"]*"/, 'timestamp="today"'))).toEqual(["timestamp is today"]);
});

test("a suite counts its checks, and a check that does not hold is a failure that says what was found", () => {
  const xml = junitOf(failedReport);
  expect(xml).toMatch(
    /<testsuite name="upgrade-and-back"[^>]* tests="2" failures="1" errors="0" time="12.3">/,
  );
  expect(xml).toContain('message="coalmine.Inference &lt;1.0.1&gt; &amp; \ufffd on hosted-0001"');
  expect(junitOf(unbegunReport)).toContain("no build was there");
});
