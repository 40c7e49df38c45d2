import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ServiceError } from "../../service.ts";
import { template } from "../template.ts";
import { run } from "./statement.ts";
import { functions, type MessageContext } from "./functions.ts";
import { parseStatement } from "./parse.ts";
import { payloadValue } from "./value.ts";

const context: MessageContext = {
  topic: "site/rheo-1/readings",
  clientId: "rheo-1",
  principal: "c0ffee",
  accountId: "123456789012",
  sqlVersion: "2016-03-23",
  at: Date.UTC(2026, 10, 23, 8, 5, 9, 7),
  traceId: "trace",
  newUuid: () => "uuid",
};
const reading = {
  color: { red: 255, names: ["rot", "red"] },
  temperature: 50,
  text: "Blut",
  none: null,
  nested: { deep: { leaf: "x" } },
};

function select(statement: string, payload: unknown = reading): unknown {
  const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  return run(parseStatement(statement), payloadValue(bytes), context)?.output;
}
const value = (expression: string, payload?: unknown): unknown =>
  select(`SELECT VALUE ${expression} FROM 'a'`, payload);

test("SELECT takes all, paths, aliases with and without dots, and VALUE", () => {
  expect(select("SELECT * FROM 'a'")).toEqual(reading);
  expect(select("select temperature, color.red AS r FROM 'a'")).toEqual({ temperature: 50, r: 255 });
  expect(select("SELECT nested.deep.leaf FROM 'a'")).toEqual({ leaf: "x" });
  expect(select("SELECT color.red AS c.r, text AS c.t FROM 'a'")).toEqual({ c: { r: 255, t: "Blut" } });
  expect(select("SELECT *, 15 AS speed FROM 'a'")).toEqual({ ...reading, speed: 15 });
  expect(select("SELECT topic(2) FROM 'a'")).toEqual({ "topic(2)": "rheo-1" });
  expect(select(`SELECT temperature AS "in °C" FROM 'a'`)).toEqual({ "in °C": 50 });
  expect(select("SELECT VALUE color FROM 'a'")).toEqual(reading.color);
  expect(select("SELECT missing, none FROM 'a'")).toEqual({ none: null });
});

test("a payload that is not JSON is its bytes", () => {
  const bytes = Uint8Array.from([0xff, 0x00, 0x7f]);
  expect(select("SELECT * FROM 'a'", bytes)).toEqual(bytes);
  expect(select("SELECT encode(*, 'base64') AS data FROM 'a'", bytes)).toEqual({ data: "/wB/" });
  expect(select("SELECT temperature FROM 'a'", bytes)).toEqual({});
});

test("WHERE passes what is true, and nothing that is Undefined", () => {
  expect(select("SELECT * FROM 'a' WHERE temperature > 49.5")).toEqual(reading);
  expect(select("SELECT * FROM 'a' WHERE temperature > 50")).toBeUndefined();
  expect(select("SELECT * FROM 'a' WHERE missing = 1")).toBeUndefined();
  expect(select("SELECT * FROM 'a' WHERE missing <> 1")).toBeUndefined();
  expect(select("SELECT * FROM 'a' WHERE isUndefined(missing) AND NOT isNull(text)")).toEqual(reading);
  expect(select("SELECT * FROM 'a' WHERE text = 'Blut' OR missing")).toBeUndefined();
});

test.each([
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["7 / 2", 3],
  ["7.5 / 2", 3.75],
  ["7 % 4", 3],
  ["1 / 0", undefined],
  ["-temperature", -50],
  ["10 - 4 - 3", 3],
  ["'5' * 2", 10],
  ["'a' + 1", "a1"],
  ["1 + true", undefined],
  ["'3' > 2", true],
  ["'x' > 2", undefined],
  ["1 = 1.0", true],
  ["1 = '1'", false],
  ["[1, 2] = [1, 2]", true],
  ["{'a': 1, 'b': 2} = {'b': 2, 'a': 1}", true],
  ["true AND 'TRUE'", true],
  ["false OR 1", undefined],
  ["NOT 1 = 2 AND true", true],
  ["'it''s'", "it's"],
  ["CASE temperature WHEN 50 THEN 'hot' ELSE 'cold' END", "hot"],
  ["CASE WHEN temperature < 0 THEN 'ice' END", undefined],
  ["CASE WHEN temperature < 0 THEN 'ice' WHEN true THEN 'water' END", "water"],
  ["cast('12' AS Int)", 12],
  ["cast(12.9 AS Int)", 12],
  ["cast(true AS Decimal)", 1],
  ["cast(temperature AS String)", "50"],
  ["cast('no' AS Boolean)", undefined],
  ["get(color.names, 1)", "red"],
  ["get(get(color, 'names'), 0)", "rot"],
  ["get('abc', 1)", "b"],
  ["get(color, 'toString')", undefined],
  ["get_or_default(missing, 'x')", "x"],
  ["decode('Qmx1dA==', 'base64')", "Blut"],
  ["encode('Blut', 'base64')", "Qmx1dA=="],
  ["topic()", "site/rheo-1/readings"],
  ["topic(1)", "site"],
  ["topic(9)", undefined],
  ["clientid()", "rheo-1"],
  ["principal()", "c0ffee"],
  ["timestamp()", context.at],
  ["newuuid()", "uuid"],
  ["concat('a', 1, null)", "a1null"],
  ["concat([1], 2)", [1, 2]],
  ["substring('viscosity', 2, 5)", "sco"],
  ["indexof('abc', 'c')", 2],
  ["replace('a-b-c', '-', '+')", "a+b+c"],
  ["upper('a') + lower('B') + trim(' c ')", "Abc"],
  ["lpad('x', 2)", "  x"],
  ["startswith('abc', 'ab') AND endswith('abc', 'bc')", true],
  ["length('äb') + numbytes('äb')", 5],
  ["chr(65)", "A"],
  ["round(2.5) + floor(1.9) + ceil(1.1)", 6],
  ["power(2, 10)", 1024],
  ["sqrt(0 - 1)", undefined],
  ["trunc(2.71828, 2)", 2.71],
  ["md5('iot123')", "e37f81fb397e595c4aeb5645b8cbbbd1"],
  ["parse_time('yyyy/MM/dd/HH', timestamp())", "2026/11/23/08"],
  ["parse_time(\"yyyy-MM-dd'T'HH:mm:ss.SSS\", timestamp(), 'UTC')", "2026-11-23T08:05:09.007"],
  ["parse_time('EEE', timestamp())", undefined],
  ["time_to_epoch('2026-11-23 08', 'yyyy-MM-dd HH')", Date.UTC(2026, 10, 23, 8)],
])("%s is %j", (expression, expected) => {
  expect(value(expression)).toEqual(expected);
});

test("a message that did not come over MQTT has no client id", () => {
  const http = { ...context, clientId: undefined, principal: undefined };
  const statement = parseStatement("SELECT clientid() AS c, principal() AS p, traceid() AS t FROM 'a'");
  expect(run(statement, {}, http)?.output).toEqual({ c: "n/a" });
});

test.each([
  ["", "Expected 'SELECT' but found the end at character 1."],
  ["SELECT", "Expected a value but found the end at character 7."],
  ["SELECT * FROM topic", "Expected a topic filter in quotes but found 'topic' at character 15."],
  ["SELECT a b FROM 'x'", "Expected the end of the statement but found 'b' at character 10."],
  ["SELECT a. FROM 'x'", "Expected a member's name but found 'FROM' at character 11."],
  ["SELECT 'open FROM x", "Expected a value but found ''' at character 8."],
  ["SELECT a FROM 'x' WHERE", "Expected a value but found the end at character 24."],
  ["SELECT (a FROM 'x'", "Expected ')' but found 'FROM' at character 11."],
  ["SELECT ; FROM 'x'", "Expected a value but found ';' at character 8."],
  ["SELECT nosuch(1) FROM 'x'", "There is no function 'nosuch' here; docs/rules-sql.md lists them."],
  ["SELECT topic(1, 2) FROM 'x'", "topic takes 0 to 1 arguments, not 2."],
  ["SELECT cast(a AS Blob) FROM 'x'", "cast makes a String, an Int, a Decimal or a Boolean."],
  [`SELECT ${"(".repeat(65)}1${")".repeat(65)} FROM 'x'`, "Expressions may lie in each other 64 deep."],
  [`SELECT ${"-".repeat(70)}1 FROM 'x'`, "Expressions may lie in each other 64 deep."],
  [`SELECT 1${"+1".repeat(600)} FROM 'x'`, "The statement has more than 1000 parts."],
  [`SELECT '${"x".repeat(16_384)}' FROM 'x'`, "The text has 16402 characters; 16384 are allowed."],
])("%.40s is refused", (statement, message) => {
  expect(() => parseStatement(statement)).toThrow(new ServiceError("SqlParseException", 400, message));
});

test("whatever text comes, it is parsed or refused as SqlParseException, and what was parsed runs", () => {
  const words = fc.constantFrom(
    ..."SELECT VALUE * , FROM 'a/+' WHERE AND NOT = < + - / % ( ) [ ] { } . : ' CASE WHEN THEN END a topic get cast AS 1 null encode 'base64'".split(
      " ",
    ),
  );
  const statement = fc.array(words, { maxLength: 20 }).map((parts) => `SELECT ${parts.join(" ")} FROM 'a'`);
  fc.assert(
    fc.property(fc.oneof(statement, fc.string({ unit: "binary" })), fc.jsonValue(), (source, payload) => {
      try {
        run(parseStatement(source), payloadValue(Buffer.from(JSON.stringify(payload))), context);
      } catch (failure) {
        if (!(failure instanceof ServiceError && failure.code === "SqlParseException")) throw failure;
      }
    }),
    { numRuns: 500 },
  );
});

test("expressions cannot grow a message without end", () => {
  const big = { x: "y".repeat(100_000) };
  expect(value("concat(x, x, x)", big)).toBeUndefined();
  expect(value("x + x + x", big)).toBeUndefined();
  expect(value(`${"encode(".repeat(30)}x${", 'base64')".repeat(30)}`, big)).toBeUndefined();
  expect(value("replace(x, 'y', 'yyyy')", big)).toBeUndefined();
});

test("templates are filled in from the message, and what is Undefined leaves nothing", () => {
  const fill = (source: string): string => template(source)(reading, context);
  expect(fill("raw/${topic(2)}/${timestamp()}.json")).toBe(`raw/rheo-1/${context.at}.json`);
  expect(fill("${get({'a': '}'}, 'a')}|${missing}|${color}")).toBe(`}||${JSON.stringify(reading.color)}`);
  expect(fill("no template, $ and {}")).toBe("no template, $ and {}");
  expect(() => template("${topic(}")).toThrow("Expected a value but found '}' at character 9.");
  expect(() => template("${topic()")).toThrow("Expected '}' but found the end at character 10.");
});

test("the page lists every function, and none that is not there", () => {
  const page = readFileSync(new URL("../../../../docs/rules-sql.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/`([a-z_0-9]+)\(/gi)].map((match) => match[1]?.toLowerCase());
  expect(new Set(listed)).toEqual(new Set([...functions.keys(), "cast"]));
});
