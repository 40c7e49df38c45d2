import fc from "fast-check";
import { expect, test } from "vitest";
import { passwordLine, terseFields, terseProperties, terseRows } from "./terse.ts";

/** As nmcli writes a field: a colon and a backslash have a backslash before them. */
const escaped = (field: string) => field.replace(/[\\:]/g, "\\$&");
const field = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\n"));

test("whatever fields hold, a row of a table comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), (fields) => {
      expect(terseFields(fields.map(escaped).join(":"))).toEqual(fields);
    }),
  );
});

test("rows come back row by row, and any text at all gives rows", () => {
  const row = fc.array(field, { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      const text = rows.map((fields) => `${fields.map(escaped).join(":")}\n`).join("");
      expect(terseRows(text)).toEqual(rows);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(terseRows(text).every((fields) => fields.length > 0)).toBe(true);
    }),
  );
});

test("a property keeps its colons; numbered ones come in order; empty ones are not there", () => {
  const shown =
    "GENERAL.HWADDR:CA:11:3B:28:C8:5C\nIP4.DNS[1]:10.9.8.1\nIP4.DNS[2]:10.9.8.2\nIP6.GATEWAY:\nno colon\n";
  expect([...terseProperties(shown)]).toEqual([
    ["GENERAL.HWADDR", ["CA:11:3B:28:C8:5C"]],
    ["IP4.DNS", ["10.9.8.1", "10.9.8.2"]],
  ]);
});

/** Reads a `passwd-file`'s line as nmcli does: spaces at the ends go, then backslash escapes are bytes. */
function readBack(line: string): string {
  const value = line.slice(line.indexOf(":") + 1).trim();
  const bytes = [...value.matchAll(/\\([0-7]{3})|(.)/gsu)].map(([, octal, plain = ""]) =>
    octal === undefined ? Buffer.from(plain) : Buffer.from([Number.parseInt(octal, 8)]),
  );
  return Buffer.concat(bytes).toString();
}

test("whatever a passphrase holds, nmcli reads it as it is, and nothing of it makes another line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (passphrase) => {
      const line = passwordLine("802-11-wireless-security.psk", passphrase);
      expect(readBack(line)).toBe(passphrase);
      expect(line.split("\n")).toHaveLength(2);
    }),
  );
});
