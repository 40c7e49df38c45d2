import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { stepNames } from "../flow/screen.ts";
import { Language } from "../language.ts";
import { guideHtml, guideName, pictureName } from "./guide.ts";

const folder = join(dirname(dirname(import.meta.dirname)), "docs/technician");

test.each(Language.options)(
  "the printed guide in %s says what the pages say now, with its nine pictures",
  (language) => {
    const written = readFileSync(join(folder, guideName(language)), "utf8");
    expect(written, "run `npm run -s technician-guide` and look at what it made").toBe(guideHtml(language));
    for (const step of stepNames) {
      expect(written).toContain(pictureName(language, step));
      expect(statSync(join(folder, pictureName(language, step))).size).toBeGreaterThan(2000);
    }
  },
);
